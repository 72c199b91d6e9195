"""Runs the features many times in a row, and demands of each run that it passes and that nothing of its cluster remains.

python -m bench.in_a_row 10            # ten runs of pytest features/
python -m bench.in_a_row 3 -n 2        # three on two workers
"""

from __future__ import annotations

import subprocess
import sys
import time

from bench.traces import Traces, owned_by


def main(count: int, arguments: list[str]) -> int:
    """Run, tell each run's outcome in a line, and return how many were not as demanded."""
    bad = 0
    for number in range(1, count + 1):
        code, seconds, words, left = _run(arguments)
        bad += bool(code or left)
        print(
            f"{number} of {count}: exit code {code}, {seconds:.0f} s, {words}; left: {left or 'nothing'}",
            flush=True,
        )
    return bad


def _run(arguments: list[str]) -> tuple[int, float, str, list[str]]:
    """Run once; return the exit code, the seconds, the last line, and what of the cluster is left."""
    began, traces, last = time.monotonic(), None, ""
    command = [sys.executable, "-m", "pytest", "features/", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:
        assert run.stdout
        for line in run.stdout:
            last = line.strip().strip("= ") or last
            if "✗" in line or "FAILED" in line:
                print(f"  {line.strip()}", flush=True)
            # Once it has pods, its processes are all there.
            if "✓" in line and (cluster := owned_by(run.pid)):
                traces = Traces.of(cluster)
    return (
        run.returncode,
        time.monotonic() - began,
        last,
        traces.left() if traces else ["no cluster was seen"],
    )


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
