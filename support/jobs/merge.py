"""Makes one run of its shards: what each came to counts once, and what a shard did not run counts as not run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from support.core.errors import SuiteError
from support.reporting.conformance import Conditions
from support.reporting.scenario import Scenario
from support.reporting.verdict import Attempt, Result

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

# In what the shards of one run are alike.
_ALIKE: Final = ("suite", "release", "fault", "provider", "required", "conceded")


class MergeError(SuiteError):
    """These reports are not those of the shards of one run; the text says which one does not belong there."""


@dataclass(frozen=True)
class Part:
    """The report of one shard: where it was found, and what it says; `evidence` is where that of its failures lies, "" where nowhere."""

    source: str
    report: Mapping[str, Any]
    evidence: str = ""

    @property
    def shard(self) -> Mapping[str, Any]:
        """Which shard it is of, and what each was to run."""
        found: Mapping[str, Any] = self.report["shard"]
        return found

    @property
    def number(self) -> int:
        """The number of its shard, from 1."""
        return int(self.shard["number"])


@dataclass
class Merged:
    """One run: what its scenarios came to, what is wrong beyond them, and of each shard what became of it.

    It serves as `support.reporting.verdict.Results` do for a report.
    """

    conditions: Conditions
    results: Sequence[Result]
    broken: list[str]
    shards: Sequence[Mapping[str, Any]]
    began: str

    def ended(self) -> list[Result]:
        """Return what each scenario came to."""
        return list(self.results)


def merge(parts: Sequence[Part], scenarios: Iterable[Scenario], of: int | None = None) -> Merged:
    """Make one run of its parts; raises `MergeError` where they are not of one run, or one shard has two.

    `scenarios` are all that there are. `of` is how many shards there were, where that is known otherwise. A shard without a
    part has died: its scenarios are not run, which no run survives as a success.
    """
    if not parts:
        raise MergeError("there is no report of a shard: every one of them died, or they lie elsewhere")
    _are_of_one_run(parts)
    first = parts[0]
    number = of or int(first.shard["of"])
    shares: Sequence[Sequence[Sequence[str]]] = next(
        (one.shard["shares"] for one in parts if one.shard["shares"]), [[] for _ in range(number)]
    )
    known = {(one.place, one.name): one for one in scenarios}
    results: list[Result] = []
    broken: list[str] = []
    shards = []
    by_number = {part.number: part for part in parts}
    for shard in range(1, number + 1):
        part, share = by_number.get(shard), shares[shard - 1]
        if part:
            came_to = [_result(entry, part.evidence) for entry in part.report["scenarios"]]
            planned = {nodeid for nodeid, _, _ in share}
            if strangers := [one.nodeid for one in came_to if one.nodeid not in planned]:
                raise MergeError(f"{part.source}: {strangers[0]} is not of shard {shard}")
            results += came_to
            broken += [f"shard {shard} of {number}: {line}" for line in part.report["broken"]]
        else:
            came_to = []
        ran = {one.nodeid for one in came_to}
        missing = [one for one in share if one[0] not in ran]
        if why := _why_missing(part, shard, number):
            broken.append(f"{why}; {len(missing)} of its {len(share)} scenarios were not run")
            results += [
                _not_run(nodeid, known.get((place, name)), place, name, why)
                for nodeid, place, name in missing
            ]
        shards.append(
            {
                "number": shard,
                "finished": bool(part and part.report["finished"]),
                "seconds": part.report["seconds"] if part else 0.0,
                "scenarios": len(share),
                "not_run": len(missing) if why else 0,
                "source": part.source if part else "",
            }
        )
    began = min(str(part.report["began"]) for part in parts)
    return Merged(_conditions(parts), results, broken, shards, began)


def _why_missing(part: Part | None, shard: int, of: int) -> str:
    """Say why a shard has not run all of its share; "" where it has."""
    if part is None:
        return f"shard {shard} of {of} died: it left no report"
    if not part.report["finished"]:
        return f"shard {shard} of {of} has not finished: {part.report.get('ended_by') or 'it broke'}"
    return ""


def _are_of_one_run(parts: Sequence[Part]) -> None:
    """Raise `MergeError` unless the parts are of one run, and each of another shard."""
    seen: dict[int, Part] = {}
    first = parts[0]
    for part in parts:
        if (twin := seen.setdefault(part.number, part)) is not part:
            raise MergeError(
                f"shard {part.number} has two reports, {twin.source} and {part.source}: take away the one of another run"
            )
        for name in ("of", "run"):
            if part.shard[name] != first.shard[name]:
                raise _foreign(
                    part, first, f"its shard.{name} is {part.shard[name]}, not {first.shard[name]}"
                )
        for name in _ALIKE:
            if part.report.get(name) != first.report.get(name):
                raise _foreign(part, first, f"its {name} is another")
        if part.shard["shares"] and first.shard["shares"] and part.shard["shares"] != first.shard["shares"]:
            raise _foreign(
                part, first, "the features were shared in another way (--shard-by, -m, -k, version)"
            )


def _foreign(part: Part, first: Part, why: str) -> MergeError:
    return MergeError(f"{part.source} is of another run than {first.source}: {why}")


def _conditions(parts: Sequence[Part]) -> Conditions:
    first = parts[0].report
    return Conditions(
        run_id="+".join(str(part.report["run"]) for part in parts),
        release=first["release"],
        fault=first["fault"],
        provider=first["provider"],
        patience=first["patience"],
        profile=first["hypothesis"]["profile"],
        seed=first["hypothesis"]["seed"],
        accept_insecure=False,
        required=first["required"],
        conceded=tuple(first["conceded"]),
    )


def _result(entry: Mapping[str, Any], evidence: str) -> Result:
    """Return what a report says of a scenario; inverse of what wrote it, but for what pytest said beyond the message."""
    file, _, line = entry["place"].rpartition(":")
    bundle = entry.get("evidence", "").replace("\\", "/").rpartition("/")[2]
    message = entry.get("message", "")
    return Result(
        nodeid=entry["id"],
        scenario=Scenario(
            file, int(line), entry["feature"], entry["rule"], entry["scenario"], tuple(entry["tags"])
        ),
        outcome=entry["outcome"],
        seconds=entry["seconds"],
        reason=entry.get("reason", ""),
        message=message,
        detail=message,
        error=entry.get("type", "AssertionError"),
        trouble=entry.get("trouble", ""),
        remedy=entry.get("remedy", ""),
        evidence=f"{evidence}/{bundle}" if evidence and bundle else "",
        worker=entry.get("worker", ""),
        not_applicable=entry.get("not_applicable", False),
        started=datetime.fromisoformat(entry["started"]).timestamp() if entry.get("started") else 0.0,
        steps=tuple(entry.get("steps", ())),
        earlier=tuple(_attempts(entry.get("earlier", ()))),
    )


def _attempts(earlier: Iterable[Mapping[str, str]]) -> Iterator[Attempt]:
    for one in earlier:
        yield Attempt(one["reason"], one["message"], one["message"], "AssertionError")


def _not_run(nodeid: str, known: Scenario | None, place: str, name: str, why: str) -> Result:
    """Return what a scenario came to that its shard did not run."""
    file, _, line = place.rpartition(":")
    scenario = known or Scenario(file, int(line), file, "", name, ())
    return Result(nodeid, scenario, "not_run", 0.0, reason=why, message=why, detail=why)
