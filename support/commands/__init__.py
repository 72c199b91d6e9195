"""What people ask for instead of a run of the features: a command looks or acts once, and ends with an exit code."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from support.commands.call import NotConsentedError
from support.core.errors import SuiteError
from support.deploy.history import NoRevisionError
from support.kube.errors import ApiError
from support.kube.silence import SilentError, silence

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from support.commands.call import Call
    from support.commands.errand import Errand


# By the name of its option (support/session/command_line.py declares it, too): the module and the function that carries it
# out. The module is imported for its command alone: together they need all of the suite.
COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "plan": ("plan", "run"),
    "apply": ("apply", "run"),
    "remove": ("remove", "run"),
    "history": ("history", "run"),
    "back_to": ("apply", "back_to"),
    "backup": ("backup", "back_up"),
    "restore": ("backup", "restore"),
    "status": ("status", "run"),
    "notes": ("notes", "run"),
    "sweep": ("sweep", "run"),
}
# Those that touch no release, and for which no cluster is taken up.
ERRANDS: Final[Mapping[str, tuple[str, str]]] = {
    "rights": ("rights", "run"),
    "job": ("job", "run"),
    "merge": ("merge", "of_directory"),
    "collect": ("merge", "of_job"),
}
# Those that only look: nothing is examined, marked or swept before them.
LOOKING: Final = frozenset({"history", "notes", "status"})
# Those that copy data, which a Job can do as well; each is given a file, or a directory of backups.
COPYING: Final = frozenset({"backup", "restore"})
# Those that an interruption leaves half done.
_TOUCHING: Final = frozenset({"apply", "back_to", "remove"})
HALF_DONE: Final = "what was changed by now stays as it is: --status says how the release is, and the same command again finishes it"


def command(name: str) -> Callable[[Call], int]:
    """Return what carries out a command and returns its exit code."""
    return _found(*COMMANDS[name])  # type: ignore[no-any-return]  # the table above says what it is


def run_errand(name: str, errand: Errand) -> int:
    """Carry out a command that touches no release, and return its exit code; raises `SuiteError`."""
    return int(_found(*ERRANDS[name])(errand))


def _found(module: str, function: str) -> Any:
    return getattr(import_module(f"{__name__}.{module}"), function)


def carry_out(name: str, call: Call) -> int:
    """Carry out a command and return its exit code: 1 also for what a cluster, a network or a file kept it from.

    Raises `SilentError` where the cluster does not answer any more, `NotConsentedError` where nobody agreed, `NoRevisionError` where
    one is asked for that is not there.
    """
    try:
        return command(name)(call)
    except KeyboardInterrupt:
        if name in _TOUCHING:
            call.namespace.progress(HALF_DONE)
        raise
    except ApiError as error:
        if silent := silence(call.namespace.kube, error):
            raise SilentError(silent) from error
        message = str(error)
    except (NotConsentedError, NoRevisionError):
        raise
    except (SuiteError, OSError) as error:
        message = str(error)
    except LookupError as error:
        if isinstance(error, KeyError | IndexError):  # a mistake of the suite's, which says nothing to a user
            raise
        message = str(error)
    call.say(f"error: {message}")
    return 1
