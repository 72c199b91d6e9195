"""Checks of the store: built once, whole or not at all, whatever interrupts it."""

from __future__ import annotations

import errno
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cluster.build import cache as store_module
from cluster.build.cache import Store, StoreError, default_root
from cluster.build.entries import MANIFEST
from cluster.build.progress import Timings
from support.core.wait import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHECKOUT = Path(__file__).parents[3]

# Builds an entry of two files and stops between them until it is told to go on.
BUILDER = """
import sys
from pathlib import Path
from cluster.build.cache import Store

def build(into):
    (into / "first").write_text("first")
    print("half", flush=True)
    sys.stdin.readline()
    (into / "second").write_text("second")

print(Store(Path(sys.argv[1])).entry("thing", "key", "the thing", build), flush=True)
"""


@pytest.fixture
def said() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def store(tmp_path: Path, said: io.StringIO) -> Iterator[Store]:
    made = Store(tmp_path / "cache", Timings(said))
    yield made
    made.close()


@pytest.fixture
def builder(store: Store) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Start another process that builds the entry thing/key in the same store."""
    started = []

    def start() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", BUILDER, str(store.root)],
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        with process:
            process.kill()


def heard(process: subprocess.Popen[str]) -> str:
    """Return the next line the process prints."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def whole(into: Path) -> None:
    (into / "sub").mkdir()
    (into / "sub" / "file").write_text("content")


def refused(_: Path) -> None:
    raise AssertionError("built although it was there")


def left_over(store: Store) -> list[Path]:
    return list((store.root / "tmp").iterdir())


def test_an_entry_holds_what_was_built(store: Store) -> None:
    place = store.entry("thing", "key", "the thing", whole)
    assert (place / "sub" / "file").read_text() == "content"


def test_an_entry_is_built_only_once(store: Store) -> None:
    place = store.entry("thing", "key", "the thing", whole)
    assert Store(store.root).entry("thing", "key", "the thing", refused) == place


def test_another_key_is_another_entry(store: Store) -> None:
    assert store.entry("thing", "a", "a", whole) != store.entry("thing", "b", "b", whole)


def test_has_tells_what_is_there(store: Store) -> None:
    before = store.has("thing", "key")
    store.entry("thing", "key", "the thing", whole)
    assert (before, store.has("thing", "key")) == (False, True)


def test_two_runs_at_once_build_one_entry(store: Store, builder: Callable[[], subprocess.Popen[str]]) -> None:
    first = builder()
    assert heard(first) == "half"
    second = builder()
    assert second.stderr is not None
    waiting = second.stderr.readline()
    first.communicate("go on\n", timeout=30)
    out, _ = second.communicate(timeout=30)
    assert f"another run (pid {first.pid}) is building the thing; waiting" in waiting
    # A second build would have said "half".
    assert out.split() == [str(store.entry("thing", "key", "the thing", refused))]


def test_an_exception_leaves_nothing(store: Store) -> None:
    def fails(into: Path) -> None:
        whole(into)
        raise RuntimeError("broken on the way")

    with pytest.raises(RuntimeError, match="broken on the way"):
        store.entry("thing", "key", "the thing", fails)
    assert (store.has("thing", "key"), left_over(store)) == (False, [])


def test_an_interrupt_leaves_nothing(store: Store) -> None:
    def interrupted(into: Path) -> None:
        whole(into)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.entry("thing", "key", "the thing", interrupted)
    assert (store.has("thing", "key"), left_over(store)) == (False, [])


def test_what_a_killed_run_left_is_never_taken_for_complete(
    store: Store, builder: Callable[[], subprocess.Popen[str]]
) -> None:
    killed = builder()
    assert heard(killed) == "half"
    killed.send_signal(signal.SIGKILL)
    killed.wait(timeout=30)
    place = store.entry("thing", "key", "the thing", whole)
    assert not (place / "first").exists()


def test_the_next_run_removes_what_a_killed_one_left(
    store: Store, builder: Callable[[], subprocess.Popen[str]]
) -> None:
    killed = builder()
    assert heard(killed) == "half"
    assert left_over(store)
    killed.send_signal(signal.SIGKILL)
    killed.wait(timeout=30)
    assert left_over(Store(store.root)) == []


def test_what_a_living_run_is_building_stays(
    store: Store, builder: Callable[[], subprocess.Popen[str]]
) -> None:
    living = builder()
    assert heard(living) == "half"
    assert left_over(Store(store.root)) == left_over(store) != []


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda place: (place / "sub" / "file").unlink(), id="a file is missing"),
        pytest.param(lambda place: (place / "sub" / "file").write_text("cont"), id="a file is cut short"),
        pytest.param(lambda place: (place / MANIFEST).unlink(), id="the manifest is missing"),
        pytest.param(lambda place: (place / MANIFEST).write_text("{"), id="the manifest is cut short"),
    ],
)
def test_a_damaged_entry_is_reported_and_built_again(
    store: Store, said: io.StringIO, damage: Callable[[Path], object]
) -> None:
    place = store.entry("thing", "key", "the thing", whole)
    damage(place)
    again = store.entry("thing", "key", "the thing", whole)
    assert (again / "sub" / "file").read_text() == "content"
    assert [line for line in said.getvalue().splitlines() if "damaged" in line] == [
        f"the cached the thing is damaged and is built again: {place}"
    ]


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), id="written by us"),
        pytest.param(OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)), id="over quota"),
        pytest.param(RuntimeError("go: write x.o: no space left on device"), id="written by a tool"),
    ],
)
def test_a_full_disk_is_one_message_and_leaves_nothing(store: Store, error: Exception) -> None:
    def fills_up(into: Path) -> None:
        whole(into)
        (store.scratch("modules") / "big").write_text("big")
        raise error

    with pytest.raises(StoreError, match=r"the disk is full while building the thing: .* has \d+ bytes free"):
        store.entry("thing", "key", "the thing", fills_up)
    assert (store.has("thing", "key"), left_over(store), store.has_scratch) == (False, [], False)


def test_a_disk_too_small_is_refused_beforehand(store: Store) -> None:
    with pytest.raises(StoreError, match=r"building needs 1000000000\.0 GB"):
        store.require_free(10**18, "building")


def test_a_cache_that_cannot_be_written_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    with pytest.raises(StoreError, match="set XDG_CACHE_HOME"):
        Store(tmp_path / "file" / "cache")


def test_prune_removes_what_nobody_uses(store: Store) -> None:
    place = store.entry("thing", "old", "the old thing", whole)
    store.close()
    assert (store.prune(), place.exists(), left_over(store)) == ([place], False, [])


def test_prune_keeps_what_it_is_told_to(store: Store) -> None:
    place = store.entry("thing", "old", "the old thing", whole)
    store.close()
    assert (store.prune([place]), place.exists()) == ([], True)


def test_prune_keeps_what_is_no_entry(store: Store) -> None:
    (store.root / "runs" / "1").mkdir(parents=True)
    assert (store.prune(), (store.root / "runs" / "1").exists()) == ([], True)


def test_prune_keeps_what_another_run_uses(store: Store) -> None:
    other = Store(store.root, Timings(io.StringIO()))
    place = other.entry("thing", "key", "the thing", whole)
    assert (store.prune(), place.exists()) == ([], True)
    other.close()


def test_a_careful_umask_does_not_keep_containers_out(store: Store) -> None:
    def build(place: Path) -> None:
        (place / "layer").mkdir()
        (place / "layer" / "file").write_text("read by all")

    before = os.umask(0o077)
    try:
        entry = store.entry("thing", "key", "thing", build)
        after = os.umask(0o077)
    finally:
        os.umask(before)

    modes = [path.stat().st_mode & 0o777 for path in (entry, entry / "layer", entry / "layer" / "file")]
    assert modes == [0o755, 0o755, 0o644]
    assert after == 0o077, "the umask is the caller's own"


def test_scratch_lasts_until_it_is_dropped(store: Store) -> None:
    (store.scratch("modules") / "file").write_text("kept")
    lasting = Store(store.root, Timings(io.StringIO()))
    assert (lasting.scratch("modules") / "file").exists()
    lasting.close()
    store.drop_scratch()
    assert not store.has_scratch


def test_dropped_scratch_goes_while_the_run_goes_on(store: Store) -> None:
    (store.scratch("modules") / "file").write_text("kept")
    store.drop_scratch()

    wait_for(
        lambda: left_over(store) == [], 10.0, lambda: f"promised: nothing is left; seen: {left_over(store)}"
    )


def test_scratch_that_nobody_removes_any_more_is_swept(store: Store) -> None:
    left = store.root / "tmp" / "scratch.1" / "scratch"
    left.mkdir(parents=True)

    Store(store.root).close()

    wait_for(
        lambda: not left.parent.exists(), 10.0, lambda: f"promised: {left.parent} is swept; seen: it is there"
    )


def test_scratch_that_another_run_uses_stays(store: Store) -> None:
    other = Store(store.root)
    other.scratch("modules")
    store.scratch("modules")
    store.drop_scratch()
    assert store.has_scratch
    other.close()


def test_links_are_part_of_an_entry(store: Store) -> None:
    def linked(into: Path) -> None:
        (into / "directory").mkdir()
        (into / "link").symlink_to("directory")

    place = store.entry("thing", "key", "the thing", linked)
    assert json.loads((place / MANIFEST).read_text()).keys() == {"link"}


def test_a_kind_stays_in_its_directory(store: Store) -> None:
    with pytest.raises(ValueError, match="not a kind of entry"):
        store.entry("../elsewhere", "key", "the thing", whole)


def test_the_default_root_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_root() == tmp_path / store_module.NAME


def test_a_relative_cache_home_is_ignored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "here")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_root() == tmp_path / ".cache" / store_module.NAME
