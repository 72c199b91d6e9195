"""Kills aimed at the writing of an index, again and again, on the release that keeps its data and on Chroma as it comes.

`python -m tests.live.cluster.soak [--rounds 20] [--plain 5]` prints what came of it, and ends with 1 where the release that
keeps its data lost some. Each round is three kills under two writers, and another pod (features/durability.feature); each
begins with an empty claim. How often Chroma as it comes breaks is told, and no reason to fail.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Final

from tests.live.cluster.site import Site, booted

SCENARIO: Final = "Records of two writers survive kills aimed at the writing of the index"
PLAIN: Final = Path(__file__).with_name("plain-chroma.yaml")
KILLS: Final = re.compile(r"(\d+), of which (\d+) tore it")
# Seconds that a round may take.
LONGEST: Final = 900.0


def rounds(site: Site, count: int, reports: Path, *options: str) -> Counter[str]:
    """Run so many rounds, and return how many there were, how many broke, and how many kills tore an index."""
    seen: Counter[str] = Counter()
    for number in range(1, count + 1):
        report = reports / str(number)
        code, said = site.ask(
            *(site.kubeconfig, report, "features/durability.feature", "--scenario", SCENARIO),
            *("--roll-back", "always", "--remove-data", "--capability", "disposable", *options),
            patience=LONGEST,
        )
        if code not in {0, 1}:
            raise RuntimeError(f"round {number} ended with {code}:\n{said[-3000:]}")
        told = json.loads((report / "conformance.json").read_text())
        seen.update(rounds=1, broken=code)
        if kills := KILLS.search(" ".join(told["measured"].values())):
            seen.update(kills=int(kills[1]), torn=int(kills[2]))
        if code:
            print("\n".join(line for line in said.splitlines() if line.startswith("  seen:")))
    return seen


def _main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--plain", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, booted(Path(directory), "chroma:1.5.9") as site:
        kept = rounds(site, given.rounds, Path(directory) / "kept")
        print(
            f"release gateway: {kept['broken']} of {kept['rounds']} rounds lost something; of {kept['kills']} kills "
            f"{kept['torn']} tore an index"
        )
        plain = rounds(site, given.plain, Path(directory) / "plain", "--fault", str(PLAIN))
        print(f"Chroma as it comes: {plain['broken']} of {plain['rounds']} rounds lost something")
    return bool(kept["broken"])


if __name__ == "__main__":
    sys.exit(_main())
