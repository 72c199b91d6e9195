"""Without apt an image is made of the machine's own files, and what is missing is named."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cluster.build.distribution import Missing, collect
from cluster.build.elf import BrokenElf
from cluster.build.recipes import Distribution
from cluster.build.sources import Machine
from tests.unit.cluster.shell import INTERPRETER, SHELL, TERMINAL, machine_library


def wanted(**fields: object) -> Distribution:
    return Distribution.model_validate({"packages": ["shell"], **fields})


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Give a root that is laid out as Fedora's is, with a real shell."""
    root = tmp_path / "machine"
    for place, file in {
        "usr/bin/shell": SHELL,
        f"usr/lib64/{TERMINAL}": machine_library(TERMINAL),
        "usr/lib64/libc.so.6": machine_library("libc.so.6"),
        f"usr{INTERPRETER}": Path(INTERPRETER),
    }.items():
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, root / place)
    (root / "etc/ld.so.conf.d").mkdir(parents=True)
    return Machine(root)


def test_the_machine_s_own_files_are_enough(machine: Machine) -> None:
    found = collect(machine, wanted(programs=["shell"]), {})
    assert set(found) == {
        "/usr/bin/shell",
        f"/usr/lib64/{TERMINAL}",
        "/usr/lib64/libc.so.6",
        f"/usr{INTERPRETER}",
    }
    taken = machine.taken({one.origin for one in found.values()})
    assert [one.name for one in taken] == sorted(found)
    assert all("of the machine itself" in one.differs for one in taken)


def test_a_library_where_the_loader_is_told_goes_where_it_needs_no_telling(machine: Machine) -> None:
    root = machine._root
    (root / "opt/libs").mkdir(parents=True)
    (root / f"usr/lib64/{TERMINAL}").rename(root / f"opt/libs/{TERMINAL}")
    (root / "etc/ld.so.conf").write_text("include ld.so.conf.d/*.conf\n")
    (root / "etc/ld.so.conf.d/opt.conf").write_text("# of a test\n/opt/libs\n")
    assert f"/usr/lib64/{TERMINAL}" in collect(machine, wanted(programs=["shell"]), {})


def test_what_the_machine_lacks_is_named_with_how_to_get_it(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda name, **_: name if name == "dnf" else None)
    with pytest.raises(
        Missing, match=r"it lacks shell, absent-1, absent-2; get them: dnf install absent-pkg"
    ):
        collect(machine, wanted(programs=["shell", "absent-1", "absent-2"], elsewhere=["absent-pkg"]), {})


def test_a_library_for_another_kind_of_machine_is_passed_over(machine: Machine) -> None:
    file = machine._root / f"usr/lib64/{TERMINAL}"
    data = bytearray(file.read_bytes())
    data[18:20] = b"\xf3\x00"  # e_machine: RISC-V
    file.write_bytes(data)
    with pytest.raises(Missing, match=f"lacks {TERMINAL}"):
        collect(machine, wanted(programs=["shell"]), {})


def test_a_program_that_is_cut_short_is_told(machine: Machine) -> None:
    file = machine._root / "usr/bin/shell"
    file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(BrokenElf, match="/usr/bin/shell is not a whole ELF file"):
        collect(machine, wanted(programs=["shell"]), {})
