"""Nothing of a cluster remains, however it ends: real runs of pytest, and a process that owns a cluster, are ended."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from bench.traces import (
    Traces,
    named,
    owned_by,
    wait_until_nothing_is_left,
    wait_until_nothing_runs,
)
from cluster.embedded import access
from support.core.wait import wait_for
from support.kube.client import Kube
from tests.live.cluster import machine
from tests.live.cluster.commands import CHECKOUT, run
from tests.live.cluster.place import PATIENCE, Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cluster.provider import Access
    from cluster.runs import Living
    from tests.miniature import Miniature

FEATURE = """
Feature: A run with a cluster
  Scenario: It waits for a word
    Given a cluster
"""
STEPS = """
from pathlib import Path

@given("a cluster")
def a_cluster(access):
    Path("up").touch()
    Path("word").read_text()  # a named pipe: waits until somebody has written
"""


@pytest.fixture
def checkout(miniature: Miniature) -> Miniature:
    """A checkout of one scenario that boots the real cluster, tells so by a file `up`, and waits for a word."""
    shutil.rmtree(miniature.root / "cluster")
    miniature.environ = {name: os.environ[name] for name in ("XDG_CACHE_HOME",) if name in os.environ}
    miniature.feature("waiting", FEATURE)
    miniature.steps(STEPS)
    os.mkfifo(miniature.root / "word")
    return miniature


@pytest.fixture
def pytest_run(machine_before: machine.Machine, checkout: Miniature) -> Iterator[subprocess.Popen[str]]:
    """A run of pytest that waits in the middle of a scenario, with a cluster."""
    del machine_before
    up = checkout.root / "up"
    with checkout.start("features", start_new_session=True) as process:
        try:
            wait_for(
                lambda: up.exists() or process.poll() is not None, PATIENCE, lambda: "promised: a cluster"
            )
            assert up.exists(), process.communicate()
            yield process
        finally:
            process.kill()


@contextmanager
def started(*module: str) -> Iterator[subprocess.Popen[str]]:
    """Run a module of Python, with its arguments, whose words can be read."""
    with subprocess.Popen(
        [sys.executable, "-m", *module],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def owner(machine_before: machine.Machine, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that is making a cluster of its own."""
    del machine_before
    with started("tests.live.cluster.owner", str(tmp_path)) as process:
        yield process


@pytest.fixture
def up(machine_before: machine.Machine) -> Iterator[subprocess.Popen[str]]:
    """An `up` that is making a cluster."""
    del machine_before
    with started("cluster", "up", "test-up") as process:
        yield process


@pytest.fixture
def detached(machine_before: machine.Machine) -> Iterator[Living]:
    """A cluster that stays until `down`."""
    del machine_before
    done = run("up", "test-down")
    living = named("test-down")
    assert living is not None, done
    yield living
    run("down", living.name)


def wait_for_line(process: subprocess.Popen[str], beginning: str) -> None:
    """Read what a process says up to a line."""
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if line.startswith(beginning):
            return
    raise AssertionError(f"promised: {beginning}; seen: {said}")


def owned(process: subprocess.Popen[str]) -> Living:
    """Give the cluster of a process."""
    cluster = owned_by(process.pid)
    assert cluster is not None, f"promised: a cluster of process {process.pid}"
    return cluster


def busy(cluster: Living) -> Traces:
    """Let a pod with a claim run on a cluster, and give what the cluster has of the machine."""
    known = access(cluster)
    place = Place(Kube(known.kubeconfig, known.context), "busy", known.inventory["vantage_image"])
    place.open({})
    place.claim("data", "16Mi")
    place.keeper("keeper")
    return Traces.of(cluster)


def assert_nothing_remains(traces: Traces, before: machine.Machine) -> None:
    left = [*traces.left(), *machine.changes(before)]
    assert not left, "\n  ".join(["promised: nothing remains; seen:", *left])


def test_a_living_cluster_has_something_of_everything(cluster: Access) -> None:
    """Whoever looks for what remains sees it while it is there."""
    living = named(cluster.name)
    assert living is not None
    seen = {line.partition(" ")[0] for line in busy(living).left()}
    assert seen == {"process", "loop", "listening", "control", "directory"}


def test_nothing_remains_after_a_normal_end_of_pytest(
    pytest_run: subprocess.Popen[str], checkout: Miniature, machine_before: machine.Machine
) -> None:
    traces = busy(owned(pytest_run))
    (checkout.root / "word").write_text("end")
    said = pytest_run.communicate(timeout=PATIENCE)
    assert pytest_run.returncode == 0, said
    assert_nothing_remains(traces, machine_before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_nothing_remains_after_pytest_is_asked_to_end(
    pytest_run: subprocess.Popen[str], machine_before: machine.Machine, number: signal.Signals
) -> None:
    traces = Traces.of(owned(pytest_run))
    os.killpg(pytest_run.pid, number)
    said = pytest_run.communicate(timeout=PATIENCE)
    assert pytest_run.returncode == pytest.ExitCode.INTERRUPTED, said
    assert_nothing_remains(traces, machine_before)


def test_nothing_remains_after_pytest_is_killed(
    pytest_run: subprocess.Popen[str], machine_before: machine.Machine
) -> None:
    traces = busy(owned(pytest_run))
    os.killpg(pytest_run.pid, signal.SIGKILL)
    wait_until_nothing_is_left(traces)
    assert_nothing_remains(traces, machine_before)


def test_nothing_runs_after_the_supervisor_is_killed_and_its_owner_removes_the_rest(
    owner: subprocess.Popen[str], machine_before: machine.Machine
) -> None:
    wait_for_line(owner, "up")
    traces = busy(owned(owner))
    os.kill(owned(owner).supervisor, signal.SIGKILL)
    wait_until_nothing_runs(traces)
    said, _ = owner.communicate(timeout=PATIENCE)
    assert "the cluster's supervisor ended without a word" in said
    assert_nothing_remains(traces, machine_before)


def test_sweep_removes_what_remains_when_owner_and_supervisor_are_killed(
    owner: subprocess.Popen[str], machine_before: machine.Machine
) -> None:
    wait_for_line(owner, "programs started")
    cluster = owned(owner)
    traces = Traces.of(cluster)
    owner.kill()
    os.kill(cluster.supervisor, signal.SIGKILL)
    wait_until_nothing_runs(traces)
    done = run("sweep")
    assert done.code == 0, done
    assert_nothing_remains(traces, machine_before)


def test_nothing_remains_after_down(detached: Living, machine_before: machine.Machine) -> None:
    traces = Traces.of(detached)
    done = run("down", detached.name)
    assert done.code == 0, done
    assert_nothing_remains(traces, machine_before)


@pytest.mark.parametrize("maker", ["owner", "up"])
def test_nothing_remains_after_a_kill_during_the_boot(
    request: pytest.FixtureRequest, machine_before: machine.Machine, maker: str
) -> None:
    process: subprocess.Popen[str] = request.getfixturevalue(maker)
    wait_for_line(process, "programs started")
    traces = Traces.of(owned(process))
    process.kill()
    wait_until_nothing_is_left(traces)
    assert_nothing_remains(traces, machine_before)


def test_an_interrupted_up_ends_what_it_has_begun(
    up: subprocess.Popen[str], machine_before: machine.Machine
) -> None:
    wait_for_line(up, "programs started")
    traces = Traces.of(owned(up))
    up.send_signal(signal.SIGINT)
    said, _ = up.communicate(timeout=PATIENCE)
    assert (up.returncode != 0, "Traceback" in said) == (True, False), said
    assert_nothing_remains(traces, machine_before)


@pytest.mark.parametrize(
    ("victim", "message"),
    [
        ("-m cluster.supervisor", "the cluster's supervisor ended without a word"),
        ("unshare ", "the cluster's node ended unexpectedly"),
        ("etcd ", "the cluster does not run: etcd was killed by signal 9"),
    ],
    ids=["supervisor", "node", "a program"],
)
def test_what_dies_during_the_boot_is_told_and_leaves_nothing(
    owner: subprocess.Popen[str], victim: str, message: str
) -> None:
    wait_for_line(owner, "programs started")
    traces = Traces.of(owned(owner))
    os.kill(next(one.pid for one in traces.processes if victim in one.words), signal.SIGKILL)
    said, _ = owner.communicate(timeout=PATIENCE)
    assert (message in said, traces.left()) == (True, []), said
