"""A stand-in for code-server: a pod with real shells where the one beside a release is looked for, and what they know."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import yaml

from support.core.parallel import in_parallel
from support.core.wait import wait_for
from support.kube import probe
from support.kube.objects import key
from support.laws import invariants
from support.platform import code_server, discovery, shells

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType
    from typing import Self

    from hypothesis.strategies import SearchStrategy

    from support.core.wait import Deadlines
    from support.deploy.live import Live
    from support.deploy.namespace import Namespace
    from support.kube.client import Kube
    from support.kube.objects import Object

_IMAGE: Final = "code-server-stand-in:1"
_POD: Final = "code-server"

SHELLS: Final = ("bash", "zsh", "fish")
# How somebody comes to a new one: a terminal's, and that of a login.
WAYS: Final = ("-ic", "-lic")
# What each shows: the environment that a program started in it is given.
_SHOW: Final = "exec cat /proc/self/environ"

# Another component of the platform, and what it lets shells know.
NEIGHBOUR: Final = "another-component"
_THEIRS: Final = {"ANOTHER_API_URL": "https://another.example.com", "ANOTHER_TOKEN": 'theirs: $5 `or` "more"'}

# What stands in the files that start a shell before anybody announces anything: the last line of each.
_BEFORE: Final = {f"{shells.HOME}/.bashrc": "esac", f"{shells.HOME}/.zshrc": "setopt no_beep"}

# A token in which every shell finds something to take for its own. Without blanks, which Chroma's own token
# authentication does not admit (0.5.23): they are among the values of any other component.
AWKWARD_TOKEN: Final = """it's-"so"-$HOME-`id`-\\n-${x}-$(id)-!!"""  # noqa: S105 - nobody else's

Environment = dict[str, str]


class CodeServerStandIn:
    """The place of code-server beside a release's namespace, in a throw-away namespace of its own; a context manager.

    It is empty until somebody works there.
    """

    def __init__(self, platform: Kube, namespace: Namespace, deadlines: Deadlines, run_id: str) -> None:
        self.namespace = namespace
        self.home = code_server.home_beside(namespace.name)
        self._kube = platform
        self._deadlines = deadlines
        inventory = namespace.inventory
        image = f"{inventory.harbor_registry}/{inventory.library_project}/{_IMAGE}"
        self._pod = _pod(self.home, run_id, image)
        self._run_id = run_id

    def __enter__(self) -> Self:
        self._kube.apply(probe.namespace(self.home, self._run_id))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Both at the same instant: a namespace dies in rounds of five seconds (docs/speed.md#how-a-namespace-ends).
        self._kube.delete("Pod", _POD, self.home, grace=0)
        self._kube.delete("Namespace", self.home)

    def open(self) -> CodeServerStandIn:
        """See to it that the pod runs."""
        if not self._kube.get("Pod", _POD, self.home):
            probe.start(self._kube, self._pod, self._deadlines)
        probe.wait_for_phase(self._kube, self._pod, ("Running",), self._deadlines)
        return self

    def shut(self) -> None:
        """See to it that there is no pod."""
        self._kube.delete("Pod", _POD, self.home, grace=0)
        wait_for(
            lambda: not self._kube.get("Pod", _POD, self.home),
            self._deadlines.gone,
            lambda: f"pod {self.home}/{_POD} not gone",
        )

    def announce(self, variables: Mapping[str, str]) -> None:
        """Announce another component with some variables, as somebody else: without the suite's labels."""
        configmap = _entry(self.home, variables)
        if self._kube.get(*key(configmap), self.home):
            self._kube.patch(*key(configmap), self.home, {"data": configmap["data"]})
        else:
            self._kube.create(configmap)

    def announce_neighbour(self) -> None:
        """Announce another component, and let the shells know it."""
        self.announce(_THEIRS)
        self.update()

    def update(self) -> None:
        """Let the shells know what is announced, as an apply does."""
        problem = code_server.update(self.namespace.kube, self.namespace.name, self._deadlines.answer)
        assert "has what is announced" in problem, problem

    def know(self, ways: Sequence[str] = WAYS) -> dict[str, Environment]:
        """Return what new shells know: their environments, by how each is called."""
        return dict(in_parallel([partial(self._environment, shell, how) for shell in SHELLS for how in ways]))

    def starts(self) -> dict[str, str]:
        """Return what the files say that start a shell, by their names."""
        files = [f"{shells.HOME}/{name}" for name in (".bashrc", ".zshrc", ".config/fish/config.fish")]
        return {file: self._run("cat", file).decode() for file in files}

    def _environment(self, shell: str, how: str) -> tuple[str, Environment]:
        said = self._run(shell, how, _SHOW).decode("utf-8", "surrogateescape")
        return f"{shell} {how}", dict(one.split("=", 1) for one in said.split("\0") if "=" in one)

    def _run(self, *argv: str) -> bytes:
        done = self._kube.exec(
            self.home, _POD, code_server.container_of(self._pod), argv, self._deadlines.answer
        )
        assert not done.code, (
            f"{argv[0]} {argv[1]} ended with {done.code}: {done.stderr.decode(errors='replace')}"
        )
        return done.stdout


def assert_known(code_server_stand_in: CodeServerStandIn, live: Live) -> None:
    """Assert that every new shell knows a release's address and its token."""
    _assert_all_know(
        code_server_stand_in,
        {
            "CHROMA_API_URL": f"https://{live.host}",
            "CHROMA_AUTH_TOKEN": live.token.get_secret_value(),
        },
    )


def assert_neighbour_known(code_server_stand_in: CodeServerStandIn) -> None:
    """Assert that every new shell knows what another component lets it know."""
    _assert_all_know(code_server_stand_in, _THEIRS)


def assert_forgotten(code_server_stand_in: CodeServerStandIn) -> None:
    """Assert that no new shell has a variable of a release."""
    left = [
        f"{shell} knows {name}"
        for shell, environment in code_server_stand_in.know().items()
        for name in ("CHROMA_API_URL", "CHROMA_AUTH_TOKEN")
        if name in environment
    ]
    assert not left, "; ".join(left)


def assert_read_once(code_server_stand_in: CodeServerStandIn) -> None:
    """Assert that what starts a shell reads the variables once, and that what stood there before still does."""
    starts = code_server_stand_in.starts()
    for file, text in starts.items():
        times = sum("service-env-cs" in line for line in text.splitlines())
        assert times == 1, f"{file} reads the variables {times} times:\n{text}"
    for file, line in _BEFORE.items():
        assert line in starts[file].splitlines(), f"gone from {file}: {line}"


def assert_any_arrive(code_server_stand_in: CodeServerStandIn, cases: SearchStrategy[Sequence[str]]) -> None:
    """Assert that any values that a component announces are what every new shell knows."""

    def arrive(values: Sequence[str]) -> None:
        variables = {f"ANY_VALUE_{number}": value for number, value in enumerate(values)}
        code_server_stand_in.announce(variables)
        code_server_stand_in.update()
        _assert_all_know(code_server_stand_in, variables, ("-ic",))

    # Each case is a score of values; to ask the shells takes a second.
    invariants.try_any(arrive, cases, share=5)


def _pod(home: str, run_id: str, image: str) -> Object:
    """Return a pod as the platform's: under its label, at home where its people are, and free to write there."""
    pod = probe.pod(_POD, home, run_id, image, ["infinity"])
    pod["metadata"]["labels"] |= {"app": "code-server"}
    pod["spec"]["containers"][0]["securityContext"]["readOnlyRootFilesystem"] = False
    return pod


def _entry(home: str, variables: Mapping[str, str]) -> Object:
    service = {
        "name": NEIGHBOUR,
        "type": "user_app",
        "environment_variables": [{"name": name, "value": value} for name, value in variables.items()],
    }
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "thinkube-service-config", "namespace": home, "labels": discovery.SELECTOR},
        "data": {discovery.KEY: yaml.safe_dump({"service": service})},
    }


def _assert_all_know(
    code_server_stand_in: CodeServerStandIn, variables: Mapping[str, str], ways: Sequence[str] = WAYS
) -> None:
    # Values may be secrets: those that are wrong are named, not shown.
    wrong = [
        f"{shell} {'has another' if name in environment else 'does not know'} {name}"
        for shell, environment in code_server_stand_in.know(ways).items()
        for name, value in variables.items()
        if environment.get(name) != value
    ]
    assert not wrong, "; ".join(wrong)
