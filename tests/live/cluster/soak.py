"""What may happen to a release that people write to, again and again, on the release that keeps its data; and on Chroma as it comes.

`python -m tests.live.cluster.soak [--aimed 20] [--random 10] [--memory 5] [--disk 5] [--plain 5]` prints what came of so many
rounds of each kind, and ends with 1 where the release that keeps its data lost some. A round is one scenario of
features/durability.feature or features/exhaustion.feature, and begins with an empty claim. How often Chroma as it comes breaks under
kills that are aimed is told, and no reason to fail.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.live.cluster.site import Site, booted

PLAIN: Final = Path(__file__).with_name("plain-chroma.yaml")
TOLD: Final = re.compile(
    r"(\d+)(?:, after [\d, and]+ more records)?, of which (\d+) tore .*?; (\d+) records acknowledged"
)
# Seconds that a round may take.
LONGEST: Final = 900.0


@dataclass(frozen=True)
class Kind:
    """A scenario that is run in rounds."""

    feature: str
    scenario: str
    rounds: int


AIMED: Final = "aimed"
KINDS: Final = {
    AIMED: Kind("durability", "Records of two writers survive kills aimed at the writing of the index", 20),
    "random": Kind("durability", "Records of two writers survive kills at random moments", 10),
    "memory": Kind("exhaustion", "Records survive a release that runs out of memory", 5),
    "disk": Kind("exhaustion", "Records survive a full claim", 5),
}


def rounds(site: Site, kind: Kind, count: int, reports: Path, *options: str) -> Counter[str]:
    """Run so many rounds, and return how many there were, how many broke, and what was told of kills and records."""
    seen: Counter[str] = Counter(rounds=0, broken=0)
    for number in range(1, count + 1):
        report = reports / f"{kind.scenario} {number}"
        code, said = site.ask(
            *(site.kubeconfig, report, f"features/{kind.feature}.feature", "--scenario", kind.scenario),
            *("--roll-back", "always", "--remove-data", "--capability", "disposable", "--apply-changes"),
            *("--capability", "storage-limit", *options),
            patience=LONGEST,
        )
        if code not in {0, 1}:
            raise RuntimeError(f"round {number} ended with {code}:\n{said[-3000:]}")
        told = json.loads((report / "conformance.json").read_text())
        seen.update(rounds=1, broken=code)
        if found := TOLD.search(" ".join(told["measured"].values())):
            seen.update(kills=int(found[1]), torn=int(found[2]), records=int(found[3]))
        if code:
            print("\n".join(line for line in said.splitlines() if line.startswith("  seen:")), flush=True)
    return seen


def _main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, kind in KINDS.items():
        parser.add_argument(f"--{name}", type=int, default=kind.rounds)
    parser.add_argument("--plain", type=int, default=5)
    given = parser.parse_args()
    broken = 0
    with tempfile.TemporaryDirectory() as directory, booted(Path(directory), "chroma:1.5.9") as site:
        for name, kind in KINDS.items():
            kept = rounds(site, kind, getattr(given, name), Path(directory))
            print(f"{name}: {_said(kept)}", flush=True)
            broken += kept["broken"]
        plain = rounds(site, KINDS[AIMED], given.plain, Path(directory) / "plain", "--fault", str(PLAIN))
        print(f"aimed, at Chroma as it comes: {_said(plain)}")
    return bool(broken)


def _said(seen: Counter[str]) -> str:
    kills = (
        f"; of {seen['kills']} kills {seen['torn']} tore an index, {seen['records']} records"
        if seen["kills"]
        else ""
    )
    return f"{seen['broken']} of {seen['rounds']} rounds lost something{kills}"


if __name__ == "__main__":
    sys.exit(_main())
