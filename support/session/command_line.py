"""The options that the suite adds to the command line, each with a line that says what it does."""

import argparse
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

import pytest

from support.core.restraint import VERIFYING
from support.core.validation import meant, unknown
from support.platform.rights import USUAL_NAMESPACE
from support.release.catalogue import names
from support.release.release import USUAL
from support.release.versions import AUTHENTICATION
from support.reporting.scenario import BUDGET, DISRUPTIVE, LEVELS, MODE_CAPABILITIES, VANTAGE
from support.session.ground_options import about_grounds
from support.session.job_options import about_jobs
from support.session.rights_options import declare_platform, declare_rights

PROVIDERS: Final = ("auto", "embedded", "external")
# As the tags of pytest.ini name them.
CAPABILITIES: Final = (
    "ingress",
    "networkpolicy",
    "volume-expansion",
    "storage-limit",
    "disposable",
    "exec",
    "other-releases",
    "gateway-api",
    "kubernetes",
    VANTAGE,
    "langchain",
    "llamaindex",
)
# What may be left out of a run of which no level is required.
CONCEDED: Final = frozenset({DISRUPTIVE, AUTHENTICATION})
# In which a command says what it found.
FORMS: Final = ("text", "json")
# How like an option of ours a word has to be, between 0 and 1, to be taken for one.
_ALIKE: Final = 0.7
ROLL_BACKS: Final = ("never", "on-failure", "always")
# What may be asked for instead of a run of the features; support/commands says what each does.
COMMANDS: Final[tuple[str, ...]] = (
    *("plan", "apply", "remove", "history", "back_to", "backup", "restore"),
    *("status", "notes", "sweep", "rights", "job", "merge", "collect"),
)


def asked(parser: pytest.Parser, args: Sequence[str]) -> tuple[bool, bool]:
    """Return whether arguments ask for a command, and whether they name a Chroma that the suite has not deployed.

    As far as options are declared.
    """
    try:
        known = parser.parse_known_args(args)
    except pytest.UsageError:  # said again when all are parsed
        return False, False
    return any(getattr(known, name) is not None for name in COMMANDS), bool(known.endpoint or known.target)


Add = Callable[..., Any]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options, in a group for each thing that they are about."""
    for name, (about, declare) in _GROUPS.items():
        declare(parser.getgroup(name, f"chroma-conformance: {about}").addoption)


def without_own(arguments: Sequence[str]) -> list[str]:
    """Return a command line without the suite's options and their values.

    Raises `argparse.ArgumentError` where one of them lacks its value, or has a wrong one.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    for _, declare in _GROUPS.values():
        declare(parser.add_argument)
    return parser.parse_known_args(arguments)[1]


def has_own(arguments: Sequence[str]) -> bool:
    """Whether a command line, which may be wrong, names one of the suite's options."""
    return not {argument.partition("=")[0] for argument in arguments}.isdisjoint(own_names())


def own_names() -> list[str]:
    """Return the names of the options, with their dashes."""
    names: list[str] = []
    for _, declare in _GROUPS.values():
        declare(lambda name, **_: names.append(name))
    return names


def near(option: str) -> str:
    """Ask whether one of the suite's options is meant by one that nobody knows; or ""."""
    bare = [name.removeprefix("--") for name in own_names()]
    return meant(option.removeprefix("--"), bare, cutoff=_ALIKE, show="--{}".format)


def _one_of(known: Collection[str]) -> Callable[[str], str]:
    """Return what takes one of some words, and names the nearest one for any other."""

    def take(word: str) -> str:
        if word not in known:
            raise argparse.ArgumentTypeError(f"{word}: {unknown(word, known)}")
        return word

    return take


def _about_the_release(add: Add) -> None:
    add(
        "--provider",
        metavar="KIND",
        type=_one_of(PROVIDERS),
        default="auto",
        help="where the cluster comes from: embedded, external, or auto (the default), which is external when --kubeconfig is given",
    )
    add(
        "--kubeconfig",
        metavar="FILE",
        help="the kubeconfig of an existing cluster to run on; in-cluster: that of the pod, as its ServiceAccount",
    )
    add("--context", metavar="NAME", help="the context of that kubeconfig (default: its current one)")
    declare_platform(add)
    about_grounds(add)
    add(
        "--inventory",
        metavar="FILE",
        help="YAML file that says what the platform gives; variables override it, such as DOMAIN_NAME; "
        "ADMIN_PASSWORD, the token, comes from the environment alone",
    )
    add(
        "--release",
        metavar="NAME|PATH",
        help=f"the release: a name ({', '.join(names())}; default: {USUAL}), or a YAML file of your own (docs/releases.md)",
    )
    add(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        dest="changes",
        help="change one thing of the release, such as chroma.memory=3Gi or claim.size=20Gi; repeatable",
    )
    add(
        "--namespace",
        metavar="NAME",
        default=USUAL_NAMESPACE,
        help=f"the namespace of the release, which its host is named after as well (default: {USUAL_NAMESPACE})",
    )
    add(
        "--host",
        metavar="NAME",
        help="the host name that leads to the release (default: the one it has; at first NAMESPACE.DOMAIN)",
    )
    add(
        "--accept-insecure",
        action="store_true",
        help="deploy a release even if anybody may use it; the run fails nevertheless",
    )
    add(
        "--accept-downgrade",
        action="store_true",
        help="try a release even if its version is below the one that wrote the data last; it must hold all that was there",
    )
    add(
        "--patience",
        metavar="FACTOR",
        type=float,
        default=1.0,
        help="stretch every deadline by this factor (default: 1)",
    )
    add(
        "--time-limit",
        metavar="SECONDS",
        type=float,
        help="end the run after so many seconds as SIGTERM does: it cleans up, says that it has not finished, and ends with 2",
    )


def _about_the_run(add: Add) -> None:
    add("--scenario", metavar="TITLE", help="run the scenarios of this title alone")
    add(
        "--require",
        metavar="LEVEL",
        type=_one_of(LEVELS),
        help="end with 5 unless every scenario of this level (core, extended) ran, and of those before it",
    )
    add(
        "--without",
        metavar="NAME",
        action="append",
        type=_one_of((*CAPABILITIES, *MODE_CAPABILITIES, BUDGET, *sorted(CONCEDED))),
        default=[],
        help="a capability that may be missing where a level is required; "
        f"{DISRUPTIVE}: skip scenarios that interrupt the live release, and do not require them; "
        f"{AUTHENTICATION}: an --endpoint or a --target may be open to anybody; repeatable",
    )
    add(
        "--capability",
        metavar="NAME",
        action="append",
        type=_one_of(CAPABILITIES),
        default=[],
        help=f"what an external cluster can do that cannot be found by asking it: {', '.join(CAPABILITIES)}; repeatable",
    )
    add(
        "--fault",
        metavar="NAME|PATH",
        help="spoil the release with a fault, a file of manifests/faults or any other; the run must fail",
    )
    add(
        "--verify",
        action="store_true",
        help="verify the release that lives there: nothing is deployed, restarted or scaled, and what it writes goes again",
    )
    add(
        "--read-only",
        action="store_true",
        help="--verify without writing a single record: heartbeat, access, certificate, objects, discovery, status",
    )
    add(
        "--vantage-namespace",
        metavar="NAME",
        help="where --verify puts its one pod (default: a namespace of its own; none: no pod, and less is seen)",
    )
    bounds = ", ".join(f"{name}={much:g}" for name, much in VERIFYING.items())
    how_much = f"bound what a run sends to the release (with --verify: {bounds}); repeatable"
    add("--budget", metavar="KEY=N", action="append", default=[], help=how_much)
    add(
        "--apply-changes",
        action="store_true",
        help="let a run of features change a release that lives already, where it is another than the one under test",
    )
    add(
        "--roll-back",
        metavar="WHEN",
        type=_one_of(ROLL_BACKS),
        help="when to roll the release back at the end: never, on-failure or always (default: always on an embedded cluster, "
        "never on an external one)",
    )
    add("--report-dir", metavar="DIR", help="where reports and evidence go (default: reports)")


def _commands(add: Add) -> None:
    add(
        "--plan",
        action="store_const",
        const="",
        help="say what an apply of the release would create, change or leave; changes nothing, "
        "and ends with 0 unless that would be refused",
    )
    add(
        "--apply",
        action="store_const",
        const="",
        help="deploy the release and prove it live; says first what changes, and asks before users "
        "would notice",
    )
    add(
        "--remove",
        action="store_const",
        const="",
        help="take the release away; its claim and data stay unless --remove-data is given",
    )
    add(
        "--history",
        metavar="FORM",
        nargs="?",
        const="text",
        type=_one_of(FORMS),
        help="say which revisions were live here, as text (the default) or json",
    )
    add(
        "--back-to",
        metavar="N",
        help="apply revision N of the history again, as --apply does; with --plan only say what that would change",
    )
    add(
        "--status",
        metavar="FORM",
        nargs="?",
        const="text",
        type=_one_of((*FORMS, "watch")),
        help="say how the release is, as text (the default) or json, or again at each change until Ctrl-C (watch); ends with 0 "
        "when it is live",
    )
    add(
        "--notes",
        action="store_const",
        const="",
        help="say how the live release is used: addresses, token, and an example for bash and Python",
    )
    add(
        "--backup",
        metavar="FILE",
        help="quiesce the release, copy its data to a new file, or to one in a directory that is there, and bring it back",
    )
    add(
        "--keep",
        metavar="N",
        type=int,
        help="let only the N newest backups of the release stay in the directory of --backup, once the new one is whole",
    )
    add(
        "--restore",
        metavar="FILE",
        help="bring data back from a file, or from the newest one in a directory, into an empty claim, and apply the release",
    )
    add(
        "--sweep",
        action="store_const",
        const="",
        help="remove what runs have left on the cluster that were killed, and only that",
    )
    declare_rights(add)
    add(
        "--yes",
        action="store_true",
        help="consent to what a command asks before: that the pod is replaced, the token changes, a limit falls, data goes",
    )
    add("--remove-data", action="store_true", help="let --remove, or rolling back, remove the data, too")


_GROUPS: Final[dict[str, tuple[str, Callable[[Add], None]]]] = {
    "chroma-conformance": ("the cluster, and the release on it", _about_the_release),
    "chroma-conformance-run": ("a run of the features", _about_the_run),
    "chroma-conformance-jobs": ("the suite inside the cluster", about_jobs),
    "chroma-conformance-commands": ("commands, one of which is carried out instead of a run", _commands),
}
