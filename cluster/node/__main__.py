"""Process 1 of a cluster's namespaces: it seals them, runs the node's programs, and reaps what they leave."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from cluster.errors import ClusterError
from cluster.host import namespaces, seccomp
from cluster.layout import Layout
from cluster.node import boot, configs
from cluster.node.milestones import Reporter
from cluster.spec import Spec


def main() -> int:
    """Run a node: `node RUN_DIRECTORY ADDRESS REPORT SOCKETS`; see supervisor.py, which calls it."""
    directory, address, descriptor, sockets = sys.argv[1:]
    files = Layout(Path(directory))
    spec = Spec.load(files.spec.read_text())
    report = Reporter(int(descriptor), spec.began)
    # The programs are not children of process 1: it reaps whatever is orphaned, and would take the exit
    # codes of its own children away from those who wait for them.
    worker = os.fork()
    if worker == 0:
        os._exit(_work(files, spec, address, report, json.loads(sockets)))
    while True:
        ended, status = os.wait()
        if ended == worker:
            return os.waitstatus_to_exitcode(status)


def _work(files: Layout, spec: Spec, address: str, report: Reporter, sockets: dict[str, int]) -> int:
    try:
        configs.write_before_start(files, spec.images["pause"])
        namespaces.seal(files, Path(spec.store))
        seccomp.close_side_doors()
        boot.run(files, spec, address, report, sockets)
    except ClusterError as error:
        report.failed(str(error))
    except OSError as error:
        report.failed(f"the cluster cannot be made: {error}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
