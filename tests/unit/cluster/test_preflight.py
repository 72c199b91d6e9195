"""The look at this machine before a cluster is made."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from cluster.errors import ClusterError
from cluster.host import preflight


@pytest.fixture
def sound_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "_lacking_features", list)


@pytest.mark.usefixtures("sound_kernel")
def test_instances_that_are_used_up_are_named_with_the_limit_to_raise(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    left = [os.open(tmp_path, os.O_RDONLY) for _ in range(3)]

    def make() -> int:
        if not left:
            raise OSError(errno.EMFILE, "inotify_init1")
        return left.pop()

    monkeypatch.setattr(preflight, "_watcher", make)
    expected = r"needs 20, and 3 are free\. Raise the limit \(sysctl -w fs\.inotify\.max_user_instances"
    with pytest.raises(ClusterError, match=expected):
        preflight.check_machine(tmp_path)


@pytest.mark.usefixtures("sound_kernel")
def test_a_look_at_a_sound_machine_holds_nothing_afterwards(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    preflight.check_machine(tmp_path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
