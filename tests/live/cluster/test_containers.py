"""A cluster runs in a privileged container on cgroup version 2, and leaves its groups as they were."""

from __future__ import annotations

import secrets
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.live.cluster.commands import run

if TYPE_CHECKING:
    from collections.abc import Iterator

_GROUPS = Path("/sys/fs/cgroup")
# What a container runtime does for a privileged container: a group of its own as the root that is seen inside. The
# processes that stand in that root are what makes the difference to a machine.
_CONTAINER = """
echo 0 > {group}/cgroup.procs
exec unshare --cgroup sh -ec '
umount --lazy /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
sleep 1000 & bystander=$!
"$@" || exit
grep -qx "$bystander" /sys/fs/cgroup/outside-clusters/cgroup.procs
{down}
kill -0 $bystander
echo "left: $(ls -d /sys/fs/cgroup/*/ 2>/dev/null) $(cat /sys/fs/cgroup/cgroup.subtree_control)"
grep -qx "$bystander" /sys/fs/cgroup/cgroup.procs
kill $bystander
' sh "$@"
"""


@pytest.fixture
def group() -> Iterator[Path]:
    """A group of version 2 with every controller that the machine hands down."""
    if not (_GROUPS / "cgroup.controllers").exists():
        pytest.skip(
            "this machine has cgroup version 1, where the topmost group of a container may hold processes"
        )
    controllers = (_GROUPS / "cgroup.controllers").read_text().split()
    (_GROUPS / "cgroup.subtree_control").write_text(" ".join(f"+{one}" for one in controllers))
    made = _GROUPS / f"container-{secrets.token_hex(3)}"
    made.mkdir()
    yield made
    with suppress(OSError):
        made.rmdir()


def test_a_container_is_as_it_was_afterwards(group: Path) -> None:
    name = "test-container"
    down = f"python=$1; $python -m cluster down {name}"

    done = run("up", name, machine=_CONTAINER.format(group=group, down=down))

    assert done.code == 0, f"promised: a cluster boots and ends in a container; seen: {done}"
    assert done.stdout.splitlines()[-1].strip() == "left:", f"promised: no group is left; seen: {done.stdout}"
