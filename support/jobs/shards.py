"""Splits the features among the shards of a run by what they took before: each lies whole in one shard."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Final

import yaml

from support.core.errors import SuiteError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

USUAL: Final = Path(__file__).parent / "durations.yaml"
"""Seconds of each feature, measured once: what is split by where no report of a run is given."""
JOB: Final = "job"
"""The word for the number of a pod in an Indexed Job, which Kubernetes gives it."""
_INDEX: Final = "JOB_COMPLETION_INDEX"
# https://kubernetes.io/docs/concepts/workloads/controllers/job/#completion-mode and the usual services of CI: what all
# shards of one run share, and no other run has.
_RUN: Final = ("JOB_UID", "GITHUB_RUN_ID", "CI_PIPELINE_ID", "BUILD_TAG")


class ShardError(SuiteError):
    """What says which shard this is, or how long features take, is not right."""


@dataclass(frozen=True)
class Shard:
    """One of the shards of a run: `number` counts from 1; `run` is what the shards of one run share, "" where none is known."""

    number: int
    of: int
    run: str = ""

    @classmethod
    def parse(cls, text: str, environ: Mapping[str, str]) -> Shard:
        """Read `2/4`, or `job/4` in a pod of an Indexed Job; raises `ShardError`."""
        number, slash, of = text.partition("/")
        if number == JOB:
            index = environ.get(_INDEX, "")
            if not index.isdecimal():
                raise ShardError(f"{text}: this is no pod of an Indexed Job ({_INDEX} is not set)")
            number = str(int(index) + 1)
        if not (slash and number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
            raise ShardError(f"{text}: give the number of the shard and how many there are, such as 2/4")
        return cls(int(number), int(of), next(filter(None, (environ.get(name) for name in _RUN)), ""))

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


def split(features: Collection[str], of: int, seconds: Mapping[str, float]) -> list[list[str]]:
    """Share features among `of` shards, the longest first, each to the shard that has the least to do so far.

    A feature without a time counts as the mean of the others. The same arguments, in whatever order, give the same shares;
    each feature is in exactly one of them. A share may be empty.
    """
    known = [seconds[one] for one in features if one in seconds]
    usual = fmean(known) if known else 1.0
    shares: list[list[str]] = [[] for _ in range(of)]
    loads = [0.0] * of
    for feature in sorted(set(features), key=lambda one: (-seconds.get(one, usual), one)):
        least = min(range(of), key=lambda number: (loads[number], number))
        shares[least].append(feature)
        loads[least] += seconds.get(feature, usual)
    return [sorted(share) for share in shares]


def read_seconds(file: Path) -> dict[str, float]:
    """Read how long features take: from a report (conformance.json), or a mapping of features to seconds; raises `ShardError`."""
    try:
        # JSON is YAML as well, but slow to be read as such.
        text = file.read_text(encoding="utf-8")
        content = json.loads(text) if file.suffix == ".json" else yaml.safe_load(text)
        if isinstance(content, dict) and "scenarios" in content:
            return _of_report(content["scenarios"])
        seconds = {str(name): float(value) for name, value in content.items()}
    except OSError as error:
        raise ShardError(f"{file} cannot be read: {error.strerror}") from None
    except (ValueError, TypeError, AttributeError, KeyError, yaml.YAMLError):
        raise ShardError(f"{file} is no report of a run, and names no seconds of features") from None
    if wrong := [name for name, value in seconds.items() if not 0 <= value < float("inf")]:
        raise ShardError(f"{file}: {', '.join(wrong)}: seconds are a number from 0")
    return seconds


def _of_report(scenarios: Iterable[Mapping[str, object]]) -> dict[str, float]:
    seconds: dict[str, float] = {}
    for one in scenarios:
        feature = str(one["place"]).rpartition(":")[0]
        seconds[feature] = seconds.get(feature, 0.0) + float(str(one["seconds"]))
    return seconds
