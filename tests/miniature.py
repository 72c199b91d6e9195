"""A checkout in miniature: the real conftest.py and collector over a feature, steps and a cluster of a test's own."""

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import traceback
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent

# A cluster that costs nothing, and tells in `cluster.log` what happens to it.
_CLUSTER = """
import os
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import SimpleNamespace

LOG = Path(__file__).parent.parent / "cluster.log"


class ClusterError(Exception):
    pass


@dataclass(frozen=True)
class Access:
    name: str = "miniature"
    kubeconfig: Path = Path(__file__)
    context: str = "miniature"
    capabilities: frozenset = frozenset({"kubernetes", "vantage", "ingress"})
    inventory: dict = field(default_factory=lambda: {
        "domain_name": "example.com", "admin_username": "tkadmin", "primary_ingress_class": "nginx",
        "harbor_registry": "harbor.example.com", "vantage_image": "harbor.example.com/library/probe:1",
    })
    timings: tuple = ()
    platform_kubeconfig: Path | None = None
    audit_log: Path | None = None
    images: tuple = (
        SimpleNamespace(name="library/small:1", digest="sha256:0123", differences=()),
        SimpleNamespace(
            name="library/large:1", digest="sha256:4567", differences=[f"part{i} 2 instead of 1" for i in range(5)]
        ),
    )


@dataclass(frozen=True)
class Account:
    namespace: str
    name: str
    objects: list


class Provider:
    def __init__(self, progress):
        self.progress = progress

    def create(self):
        self.progress("booting in miniature")
        note("created")
        if os.environ.get("MINIATURE_BREAKS"):
            raise ClusterError("no kernel: install one")
        return Access()

    def delete(self):
        note("deleted")


def provider_for(kind, *, kubeconfig, context, recipes, progress, patience, images, gateway_api, account=None):
    return Provider(progress)


def note(what):
    with LOG.open("a") as log:
        log.write(f"{what} by {os.environ.get('PYTEST_XDIST_WORKER', 'main')}\\n")
"""


# There is nothing to ask whether it has what the inventory says.
_NOTHING_TO_SURVEY = """
def preflight(*_):
    from support.platform.assessment import Assessment
    return Assessment((), ())
"""


@dataclass
class Ran:
    """How a run in miniature ended."""

    code: int
    out: str
    err: str


@dataclass
class Miniature:
    """The checkout in `root`, with files by their names; steps and fixtures are Python source."""

    root: Path
    environ: dict[str, str] = field(default_factory=dict)
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in (
            "conftest.py",
            "pytest.ini",
            "VERSION",
            "steps/__init__.py",
        ):
            (self.root / name).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, self.root / name)
        for vocabulary in (ROOT / "steps").glob("*.py"):
            if not (self.root / "steps" / vocabulary.name).exists():
                self.write(f"steps/{vocabulary.name}", "")
        self.write("cluster/__init__.py", "")
        self.write("cluster/provider.py", _CLUSTER)
        self.fixtures(_NOTHING_TO_SURVEY)

    def write(self, name: str, text: str) -> Path:
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text), encoding="utf-8")
        return file

    def feature(self, name: str, text: str) -> Path:
        return self.write(f"features/{name}.feature", text)

    def steps(self, text: str) -> Path:
        return self.write(
            "steps/releases.py",
            "import os, time, pytest\nfrom pytest_bdd import given, when, then\nfrom pytest_bdd.parsers import parse\n"
            + dedent(text),
        )

    def fixtures(self, text: str) -> None:
        """Let fixtures take the place of the real ones."""
        with (self.root / "conftest.py").open("a") as conftest:
            conftest.write(dedent(text))

    def install(self) -> None:
        """Let processes that are started know the checkout by its entry point, from wherever they run."""
        shutil.copytree(ROOT / "src", self.root / "src", ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("apiserver", "manifests", "support"):
            (self.root / name).symlink_to(ROOT / name)
        self.environ["PYTHONPATH"] = f"{self.root / 'src'}:{self.root}"

    def run(self, *arguments: str, terminal: bool = False) -> Ran:
        """Run pytest in a fork of this process, which has long imported what takes its time.

        On a terminal what would be on the screen is returned with all that moves the cursor.
        """
        err = self.root / ".err"
        reading, writing = pty.openpty() if terminal else os.pipe()
        sys.stdout.flush()
        with warnings.catch_warnings():
            # Newer Pythons warn of other threads: the child touches nothing of theirs.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if not child:
            os._exit(self._run_here(arguments, writing, err))
        os.close(writing)
        out = b"".join(iter(partial(_read, reading), b""))
        os.close(reading)
        _, status = os.waitpid(child, 0)
        return Ran(os.waitstatus_to_exitcode(status), out.decode(), err.read_text())

    def _run_here(self, arguments: Sequence[str], out: int, err: Path) -> int:
        try:
            os.dup2(out, 1)
            os.dup2(os.open(err, os.O_CREAT | os.O_WRONLY | os.O_TRUNC), 2)
            sys.stdin = Path(os.devnull).open()  # noqa: SIM115 - the process's end closes it
            sys.stdout, sys.stderr = open(1, "w"), open(2, "w")  # noqa: SIM115 - likewise
            os.environ.clear()
            os.environ |= self._environ()
            os.chdir(self.root)
            for name in list(sys.modules):
                if name.partition(".")[0] in {"conftest", "steps", "cluster"}:
                    del sys.modules[name]
            code = pytest.main(list(arguments))
            sys.stdout.flush()
            sys.stderr.flush()
        except BaseException:  # noqa: BLE001 - this is the end of the process
            os.write(2, traceback.format_exc().encode())
            return 99
        return int(code)

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """Start pytest as users do: what has workers or is sent signals needs a process of its own."""
        process = subprocess.Popen(
            # As the command does, which does not have the working directory on its path.
            [sys.executable, "-P", "-m", "pytest", *arguments],
            env=self._environ(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **{"cwd": self.root, "stdin": subprocess.DEVNULL, **options},
        )
        self.started.append(process)
        return process

    def run_apart(self, *arguments: str, **options: Any) -> Ran:
        return self.end(self.start(*arguments, **options))

    def end(self, process: subprocess.Popen[str], with_signal: signal.Signals | None = None) -> Ran:
        if with_signal:
            process.send_signal(with_signal)
        out, err = process.communicate(timeout=60)
        return Ran(process.returncode, out, err)

    def close(self) -> None:
        """End what a test that failed has left running."""
        for process in self.started:
            with process:
                process.kill()

    def report(self) -> Any:
        return json.loads((self.root / "reports" / "conformance.json").read_text())

    def log(self) -> Sequence[str]:
        log = self.root / "cluster.log"
        return log.read_text().splitlines() if log.exists() else []

    def everything_written(self) -> str:
        """Return the text of all files that runs have left."""
        files = [*(self.root / "reports").rglob("*"), self.root / "cluster.log"]
        return "\n".join(file.read_text() for file in files if file.is_file())

    def _environ(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return {**kept, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "TERM": "dumb", **self.environ}


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # how a terminal says that nobody is at its other end
        return b""
