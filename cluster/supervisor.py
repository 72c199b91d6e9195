"""The process outside the namespaces that owns one cluster: it makes it, waits, and removes every trace."""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cluster.build.cache import Store
from cluster.build.packages import SYSTEM_PATH
from cluster.errors import ClusterError
from cluster.host import addresses, namespaces
from cluster.host.cgroups import Cgroups
from cluster.node.milestones import Reporter
from cluster.runs import Runs
from cluster.spec import Spec
from cluster.sweep import remove

if TYPE_CHECKING:
    from collections.abc import Callable

    from cluster.layout import Layout
    from cluster.runs import Run

_PR_SET_PDEATHSIG = 1


_QUOTED_LINES = 8
_UMASK = 0o022
_CHECKOUT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Run one cluster: `supervisor REPORT LIFELINE`, two file descriptors, with the spec on stdin.

    The cluster lives until the lifeline's other end is closed, unless it was released from it by a byte;
    until SIGTERM or SIGINT comes; or until the node ends.
    """
    # Pods read files of the node, such as the one that names the resolver; what is secret says so at its making.
    os.umask(_UMASK)
    spec = Spec.load(sys.stdin.read())
    report = Reporter(int(sys.argv[1]), spec.began)
    lifeline = int(sys.argv[2])
    # A signal only wakes the wait for it: none interrupts a clean-up.
    signals = _signals()
    try:
        run = Runs(Path(spec.store)).claim(spec.name)
        try:
            _live(run, spec, report, lifeline, signals)
        finally:
            remove(run)
    except ClusterError as error:
        report.failed(str(error))
        return 1
    except OSError as error:
        report.failed(f"the cluster cannot be made: {error}")
        return 1
    return 0


def _live(run: Run, spec: Spec, report: Reporter, lifeline: int, signals: int) -> None:
    files = run.files
    for directory in (files.logs, files.configs, files.pki, files.run / "tmp"):
        directory.mkdir(mode=0o700)
    files.spec.write_text(spec.dump())
    # The cluster may outlive the process that got these from the cache.
    store = Store(Path(spec.store))
    for path in (spec.seed, *spec.programs.values()):
        store.hold(Path(path))
    address, sockets = addresses.listen()
    groups = Cgroups(files.cgroup)
    groups.make()
    descriptors = {port: one.fileno() for port, one in sockets.items()}
    with (files.logs / "node.log").open("ab") as log:
        node = subprocess.Popen(
            [
                *namespaces.UNSHARE,
                *(
                    sys.executable,
                    "-m",
                    "cluster.node.__main__",
                    str(files.run),
                    address,
                    str(report.descriptor),
                ),
                json.dumps(descriptors),
            ],
            env=_environment(files),
            cwd=files.run,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(report.descriptor, *descriptors.values()),
            preexec_fn=_joiner(groups),  # noqa: PLW1509 - this process has one thread
        )
    for one in sockets.values():
        one.close()
    try:
        if _wait(lifeline, signals, node):
            # Mostly it has said itself why, and nobody hears this.
            said = (files.logs / "node.log").read_text(errors="replace").splitlines()[-_QUOTED_LINES:]
            raise ClusterError("\n  ".join(["the cluster's node ended unexpectedly:", *said]))
    finally:
        node.kill()  # and with it process 1 of the namespaces, and with that everything
        node.wait()


def _wait(lifeline: int, signals: int, node: subprocess.Popen[bytes]) -> bool:
    """Wait until the cluster is to end, or until the node has ended by itself, which gives True."""
    ended = os.pidfd_open(node.pid)
    poll = select.poll()
    for descriptor in (lifeline, signals, ended):
        poll.register(descriptor, select.POLLIN)
    while True:
        ready = {descriptor for descriptor, _ in poll.poll()}
        if ready != {lifeline}:
            return ready == {ended}
        if not os.read(lifeline, 1):
            return False
        poll.unregister(lifeline)


def _signals() -> int:
    """Turn the signals that end a cluster into something to read; gives its file descriptor."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    return reading


def _joiner(groups: Cgroups) -> Callable[[], None]:
    """Give what the node's process does before it is one: die with us, and be in the cluster's groups."""
    libc = ctypes.CDLL(None)
    entries = groups.entries()
    supervisor = os.getpid()

    def join() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != supervisor:
            os._exit(1)  # it died before it could be told
        for entry in entries:
            entry.write_text("0")

    return join


def _environment(files: Layout) -> dict[str, str]:
    """Nothing of the caller's: neither its KUBECONFIG nor its proxies are for the node."""
    return {
        "PATH": SYSTEM_PATH,
        "HOME": str(files.run / "tmp"),
        "TMPDIR": str(files.run / "tmp"),
        "KUBECACHEDIR": str(files.run / "tmp"),
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": str(_CHECKOUT),
    }


if __name__ == "__main__":
    sys.exit(main())
