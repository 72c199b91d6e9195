"""What a machine offers of control groups is read as the kubelet and runc read it, and so is told what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cluster.host import cgroups

if TYPE_CHECKING:
    from pathlib import Path

_ALL = "cpuset cpu io memory hugetlb pids rdma misc"


def _machine(directory: Path, mounts: dict[str, str], second: dict[str, str]) -> tuple[Path, Path]:
    """Make a mountinfo of cgroup mounts by place (kind and options), and what groups of version 2 offer by place."""
    root = directory / "groups"
    lines = [
        "22 1 8:1 / / rw shared:1 - ext4 /dev/vda rw",
        f"30 22 0:26 / {root} ro - tmpfs tmpfs rw,mode=755",
    ]
    for number, (place, kind) in enumerate(mounts.items(), 31):
        # Optional fields, of which there may be any number, stand before the dash.
        lines.append(f"{number} 30 0:{number} / {root / place} rw,nosuid shared:{number} - {kind}")
    for place, controllers in second.items():
        (root / place).mkdir(parents=True, exist_ok=True)
        (root / place / "cgroup.controllers").write_text(f"{controllers}\n")
    mountinfo = directory / "mountinfo"
    mountinfo.write_text("\n".join(lines) + "\n")
    return mountinfo, root


_FIRST = {
    "cpu,cpuacct": "cgroup cgroup rw,cpu,cpuacct",
    "cpuset": "cgroup cgroup rw,cpuset",
    "memory": "cgroup cgroup rw,memory",
    "pids": "cgroup cgroup rw,pids",
    "systemd": "cgroup cgroup rw,name=systemd",
}


@pytest.mark.parametrize(
    ("mounts", "second", "missing"),
    [
        pytest.param({"": "cgroup2 cgroup2 rw,nsdelegate"}, {"": _ALL}, [], id="version 2"),
        pytest.param(
            {"": "cgroup2 cgroup2 rw"}, {"": "cpu io memory pids"}, ["cpuset"], id="part of version 2"
        ),
        pytest.param(_FIRST, {}, [], id="version 1"),
        pytest.param({**_FIRST, "unified": "cgroup2 cgroup2 rw"}, {"unified": "hugetlb"}, [], id="hybrid"),
        pytest.param({}, {}, ["cpu", "cpuset", "memory", "pids"], id="none"),
    ],
)
def test_missing_controllers_are_named(
    tmp_path: Path, mounts: dict[str, str], second: dict[str, str], missing: list[str]
) -> None:
    assert cgroups.missing(*_machine(tmp_path, mounts, second)) == missing


def test_a_controller_out_of_reach_on_a_hybrid_machine_is_told_with_the_remedy(tmp_path: Path) -> None:
    mounts = {
        **{place: kind for place, kind in _FIRST.items() if place != "memory"},
        "unified": "cgroup2 cgroup2 rw",
    }

    (told,) = cgroups.missing(*_machine(tmp_path, mounts, {"unified": "memory"}))

    assert told.startswith("memory (only version 2 has it")
    assert "boot with version 2 alone" in told


def test_mounts_of_another_root_tree_are_none_of_the_machines(tmp_path: Path) -> None:
    mountinfo, root = _machine(tmp_path, {"": "cgroup2 cgroup2 rw"}, {"": _ALL})
    with mountinfo.open("a") as more:
        more.write(f"90 22 0:31 / {tmp_path}/tree/sys/fs/cgroup rw - cgroup2 cgroup2 rw\n")

    assert [one.point for one in cgroups.hierarchies(mountinfo, root)] == [root]
