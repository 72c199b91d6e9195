"""`python -m tests.distributions [SUITE...]`: each suite entered on this kernel, and booted with its own; a table at the end."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cluster.build.cache import default_root
from tests.distributions import vm
from tests.distributions.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Iterable

_CHECKOUT: Final = Path(__file__).resolve().parents[2]
# With what else the kernel of its machine is told.
_SUITES: Final = {"bookworm": "", "trixie": "ipv6.disable=1"}
_COLUMNS: Final = (
    "distribution",
    "kernel",
    "cgroup",
    "Python",
    "containerd",
    "HAProxy",
    "Chroma's libraries",
    "verdict",
    "s",
)
# Those that Chroma's native library is linked against or that its interpreter brings.
_LIBRARIES: Final = ("libc6", "libexpat1")
# Seconds. An emulated machine takes ten times as long as this one, and a busy one longer: 82 min for the tests of the cluster, and
# core of the features had not ended after another 68.
_VM_PATIENCE: Final = 18_000.0
_PROGRAMS: Final = {
    "mmdebstrap": "mmdebstrap",
    "qemu-system-x86_64": "qemu-system-x86",
    "mkfs.ext4": "e2fsprogs",
    "git": "git",
}
_MARK: Final = "== report: "
# What a run says of itself goes to the log in one line, since the emulated machine has no other way out.
_REPORT: Final = rf"""
code=$?
printf '\n{_MARK}%s %s %s %s %s %s\n' "$code" "$(. /etc/os-release; echo "$ID-$VERSION_ID")" "$(uname -r)" \
    "$(stat -fc %T /sys/fs/cgroup | sed 's/cgroup2fs/2/; s/tmpfs/1/')" "$(python3 --version | cut -d' ' -f2)" \
    "$(containerd --version | cut -d' ' -f3)"
printf '{_MARK}%s\n' "$(tr -d '\n' <reports/conformance.json)"
"""
_ENTERED: Final = f"cd chroma-conformance\nmake verify\n{_REPORT}"
_PREPARE_VM: Final = f"""
set -e
apt-get update -qq
apt-get install -qq --no-install-recommends {vm.PACKAGES} nftables >/dev/null
cd chroma-conformance
make venv-dev
"""
# What an ordinary machine has: swap, a firewall that lets in nothing, a careful umask, and a language.
_BOOTED: Final = rf"""
export HOME=/root LANG=de_DE.UTF-8 TESTS_PATIENCE=10 PYTEST_ADDOPTS="--patience 15" PYTHONUNBUFFERED=1
umask 077
cd /root/chroma-conformance
fallocate -l 256M /swap && mkswap -q /swap && swapon /swap
nft -f - <<'RULES'
table inet firewall {{
  chain input {{ type filter hook input priority 0; policy drop; iif lo accept; ct state established accept; }}
  chain forward {{ type filter hook forward priority 0; policy drop; }}
}}
RULES
.venv/bin/pytest tests/live/cluster -q --tb=short --maxfail=10 -p no:cacheprovider
tests=$?
.venv/bin/pytest features/ -m core -n 2
(( $? == 0 && tests == 0 ))
{_REPORT}
"""


@dataclass
class Row:
    """What one try has seen."""

    title: str
    seconds: float = 0.0
    code: int = 1
    facts: list[str] = field(default_factory=lambda: ["?"] * 5)
    report: dict[str, object] = field(default_factory=dict)
    packages: dict[str, str] = field(default_factory=dict)

    def read(self, log: Path) -> None:
        """Take from a log what the run in it has reported."""
        marked = [
            line.partition(_MARK)[2] for line in log.read_text(errors="replace").splitlines() if _MARK in line
        ]
        if len(marked) < 2:
            return
        code, *self.facts = marked[-2].split()
        self.code = int(code)
        self.report = json.loads(marked[-1] or "{}")

    def cells(self) -> tuple[str, ...]:
        """Its line of the table."""
        distribution, kernel, cgroup, python, containerd = self.facts
        verdict = f"{self.report.get('verdict', 'none')}{'' if self.code == 0 else ', FAILED'}"
        libraries = " ".join(f"{name} {self.packages[name]}" for name in _LIBRARIES if name in self.packages)
        return (
            f"{distribution} ({self.title})",
            kernel,
            cgroup,
            python,
            containerd,
            self.packages.get("haproxy", "?"),
            libraries or "?",
            verdict,
            f"{self.seconds:.0f}",
        )


def main() -> int:
    """Try each suite; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.distributions", description=__doc__)
    parser.add_argument(
        "suites", nargs="*", default=list(_SUITES), metavar="SUITE", help="names of Debian's releases"
    )
    parser.add_argument(
        "--no-vm", action="store_true", help="leave the virtual machines out, which take an hour each"
    )
    parser.add_argument(
        "--trees",
        type=Path,
        default=default_root().with_name("chroma-conformance-distributions"),
        metavar="DIR",
        help="where the root trees are made (15 GB each)",
    )
    arguments = parser.parse_args()
    if lacking := [package for program, package in _PROGRAMS.items() if shutil.which(program) is None]:
        parser.error(f"this needs root and programs that are not here: apt-get install {' '.join(lacking)}")
    rows = []
    for suite in arguments.suites:
        tree = Tree(suite, arguments.trees / suite)
        rows.append(_entered(tree))
        _show(rows)
        if not arguments.no_vm:
            rows.append(_booted(tree))
            _show(rows)
        tree.remove()
    return max(row.code for row in rows)


def _entered(tree: Tree) -> Row:
    """Run `make verify` in the tree from nothing but a clone."""
    log = tree.root.with_suffix(".entered.log")
    _say(f"{tree.suite}, entered: making its root tree; then the log is {log}")
    tree.make()
    tree.clone(_CHECKOUT)
    tree.take_programs(default_root())
    row = Row("entered")
    start = time.monotonic()
    with log.open("wb") as out:
        tree.run(_ENTERED, out)
    row.seconds = time.monotonic() - start
    row.read(log)
    row.packages = tree.packages()
    return row


def _booted(tree: Tree) -> Row:
    """Boot the tree that is set up by now, and run the cluster's own tests and core of the features."""
    log = tree.root.with_suffix(".booted.log")
    _say(f"{tree.suite}, booted under emulation: the log is {log}")
    with tree.root.with_suffix(".prepared.log").open("wb") as out:
        if tree.run(_PREPARE_VM, out):
            raise SystemExit(f"{tree.suite} cannot be made a machine: {out.name}")
    row = Row("booted")
    start = time.monotonic()
    vm.boot(tree, _BOOTED, log, _VM_PATIENCE, _SUITES.get(tree.suite, ""))
    row.seconds = time.monotonic() - start
    row.read(log)
    row.packages = tree.packages()
    return row


def _show(rows: Iterable[Row]) -> None:
    table = [_COLUMNS, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in table) for column in range(len(_COLUMNS))]
    for line in table:
        _say("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
