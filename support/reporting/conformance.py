"""Writes what a run came to: conformance.json and junit.xml, and the last words on the terminal."""

from __future__ import annotations

import dataclasses
import json
import platform
import shlex
import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, Final, Protocol

from support.kube.errors import ApiError
from support.release.release import USUAL
from support.reporting.evidence import bundle_files
from support.reporting.gate import unproved
from support.reporting.junit import iso, write_junit
from support.reporting.verdict import Attempt, Outcomes, judge, overall

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from support.core.redaction import Redactor
    from support.kube.client import Kube
    from support.release.faults import Fault
    from support.reporting.gate import Ended
    from support.reporting.scenario import Scenario
    from support.reporting.verdict import Level, Result

REPORT: Final = "conformance.json"
# The version of the report's form; it rises when a reader would misread it.
_FORM: Final = 3
_SHOWN_DIFFERENCES: Final = 3  # of an image, on the terminal
# What a result says in words of others.
_TOLD: Final = ("reason", "message", "detail", "trouble", "cause", "remedy", "steps")
# Those whose version decides what a scenario sees.
_PACKAGES: Final = ("chromadb", "httpx", "hypothesis", "kubernetes", "pytest", "pytest-bdd", "pytest-xdist")


@dataclass(frozen=True)
class Conditions:
    """What a run was asked for, as far as that decides what its scenarios come to.

    `release` is the name of one, with the `changes` ("chroma.memory=3Gi") of the command line; `fault` as it is given there.
    """

    run_id: str
    release: str
    fault: str | None
    provider: str
    patience: float
    profile: str
    seed: str
    accept_insecure: bool
    changes: tuple[str, ...] = ()
    required: str | None = None  # a level that has to have run whole
    mode: str = ""  # the option that keeps it from changing things
    conceded: tuple[str, ...] = ()  # capabilities that need not be there for it
    endpoint: str | None = None  # the address that the run is about, which then is about no release
    target: str | None = None  # likewise the file that describes what something else deployed


class UsedImage(Protocol):
    """What is reported of an image: its name, the digest of its manifest, and how it differs from the preferred one."""

    @property
    def name(self) -> str:
        """The name with its tag."""

    @property
    def digest(self) -> str:
        """The digest, as a registry has it: sha256:…, hexadecimal."""

    @property
    def differences(self) -> Sequence[str]:
        """A line for each package that is not the preferred one."""


class Report:
    """The report of one run; begun before anything else, so that a run that was killed leaves no verdict of another.

    `arguments` are those of pytest; `scenarios` all that there are, whatever was selected; `fault` is what the release
    is spoiled with. `facts` and `measured` may be added to until the report is finished.
    """

    def __init__(
        self,
        conditions: Conditions,
        *,
        directory: Path,
        root: Path,
        arguments: Sequence[str],
        scenarios: Sequence[Scenario],
        redactor: Redactor,
        facts: Mapping[str, str],
        measured: Mapping[str, str],
        fault: Fault | None = None,
    ) -> None:
        self._conditions = conditions
        self._redactor = redactor
        self._facts = facts
        self._measured = measured
        self._fault = fault
        self._directory = directory
        self._version = (root / "VERSION").read_text(encoding="utf-8").strip()
        self._command = shlex.join(["pytest", *arguments])
        if not any(argument.startswith("--hypothesis-seed") for argument in arguments):
            self._command += f" --hypothesis-seed={conditions.seed}"
        self._scenarios = scenarios
        self._began = datetime.now(UTC)
        self._clock = time.monotonic()
        self._levels: dict[str, Level] = {}
        self._results: list[Result] = []
        self._broken: list[str] = []
        self._finished = False
        self._ended_by = ""
        self._is_ours = False  # whether the directory holds a report of ours from before
        self.written = False  # whether it says what the run came to
        self.unproved: list[str] = []  # what the run has not proved and should have, a line each
        self.times: dict[str, float] = {}  # seconds of what is no scenario: the cluster's boot and end
        self.images: Sequence[UsedImage] = ()  # those that were made for the cluster, once there is one
        # Of a shard (`shard`), or of several that were merged (`shards`); what a shard leaves unproved another may prove.
        self.sharing: Mapping[str, Any] = {}

    @property
    def evidence(self) -> Path:
        """Where the evidence of failures goes."""
        return self._directory / "evidence"

    def begin(self) -> None:
        """Put a report in place that says that the run has not finished, in the stead of the one before."""
        self._is_ours = (self._directory / REPORT).exists()
        if self._is_ours:
            (self._directory / "junit.xml").unlink(missing_ok=True)
        self._directory.mkdir(parents=True, exist_ok=True)
        self._levels = judge(self._scenarios, [], [])
        self._write([], [], finished=False)

    def begin_scenarios(self) -> None:
        """Remove the evidence of the run before: until now it was not sure that there would be another."""
        if self._is_ours:
            shutil.rmtree(self.evidence, ignore_errors=True)

    def finish(self, kept: Ended, *, finished: bool, ended_by: str = "") -> None:
        """Write the reports; not `finished` when somebody ended the run, or it broke. `ended_by` is what ended it early."""
        self._ended_by = ended_by
        results = [self._redacted(result) for result in kept.ended()]
        broken = [self._redactor.text(line) for line in kept.broken]
        self._levels = judge(self._scenarios, results, broken)
        asked = self._conditions
        if "shard" not in self.sharing:
            self.unproved = list(unproved(self._levels, results, asked.required, asked.conceded))
        self._results, self._broken, self._finished = results, broken, finished
        write_junit(self._directory / "junit.xml", results, self._began, list(self._amiss()))
        self._write(results, broken, finished=finished)
        self.written = True

    @property
    def outcomes(self) -> Outcomes:
        """What the run came to, once it is finished; without secrets."""
        return Outcomes(overall(self._levels.values()), self._levels, self._results, list(self._amiss()))

    def _amiss(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with the run beyond its scenarios, with its kind."""
        yield from (("Broken", line) for line in self._broken)
        if not self._finished:
            yield "Unfinished", f"the run has not finished: {self._ended_by or 'it broke'}"
        yield from (("NotProved", line) for line in self.unproved)

    def last_words(self) -> Iterator[str]:
        """Say where the time went, the verdict of each level, and where the reports are."""
        for title, seconds in self._times(self._results).items():
            yield f"{seconds:8.1f} s  {title}"
        if self._ended_by:
            yield f"not finished: {self._ended_by}"
        if not self._results and not self._finished:
            yield "no scenario was run: this is no verdict"
            return
        for name, level in self._levels.items():
            yield f"{name}: {level.verdict.upper()} ({level.counted})"
        yield from (f"not proved: {line}" for line in self.unproved)
        if any(level.left_out for level in self._levels.values()):
            yield "what was left out proves nothing: `pytest features/` runs all of it"
        for what, much in self._measured.items():
            yield f"measured: {what}: {much}"
        yield from map(_unlike, filter(lambda image: image.differences, self.images))
        yield from self._words_about_fault()
        yield f"report: {self._directory / REPORT}, {self._directory / 'junit.xml'}"
        if any(result.evidence for result in self._results):
            yield f"evidence: {self.evidence}, with a directory for each of these scenarios: failure.txt says the most"
            if self._conditions.provider == "embedded":
                yield "the cluster of this run is gone; to look at one: `python -m cluster up`, and run with the options it prints"

    def _words_about_fault(self) -> Iterator[str]:
        if fault := self._fault:
            yield f"under the fault {fault.name}: {fault.title}"
            yield f"  why it happens: {fault.why.strip()}"
            yield f'  to be caught by {fault.caught_by.feature}, "{fault.caught_by.scenario}": {self._caught()}'

    def _caught(self) -> str:
        """Say whether the scenario that has to has caught the fault."""
        assert self._fault
        wanted = self._fault.caught_by
        if any(
            result.outcome in {"failed", "not_run"}
            and wanted.describes(result.scenario.file, result.scenario.name, result.detail)
            for result in self._results
        ):
            return "caught"
        named = [one for one in self._results if one.scenario.name == wanted.scenario]
        if not named:
            return "not run"
        return {
            "not_run": "not run, for another reason",
            "failed": f'failed, but not with "{wanted.message}"',
            "passed": "NOT CAUGHT: it passed",
            "flaky": "NOT CAUGHT: it passed when it ran again",
            "skipped": "not run: it was skipped",
        }[named[0].outcome]

    def _redacted(self, result: Result) -> Result:
        clean = self._redactor.plain
        told = {name: clean(getattr(result, name)) for name in _TOLD}
        earlier = tuple(Attempt(**clean(dataclasses.asdict(one))) for one in result.earlier)
        return dataclasses.replace(result, **told, earlier=earlier)

    def _times(self, results: Sequence[Result]) -> dict[str, float]:
        features: dict[str, float] = {}
        for result in results:
            title = result.scenario.feature
            features[title] = features.get(title, 0.0) + result.seconds
        return {**self.times, **features}

    def _given(self) -> list[str]:
        """Return the options without which a scenario of this run would come to something else."""
        asked = self._conditions
        given = [f"--endpoint={asked.endpoint}"] * bool(asked.endpoint)
        given += [f"--release={asked.release}"] * (asked.release not in {USUAL, ""})
        given += [f"--target={asked.target}"] * bool(asked.target)
        given += [asked.mode] * (asked.mode not in {"", "--target"})
        given += [f"--fault={asked.fault}"] * bool(asked.fault)
        given += ["--accept-insecure"] * asked.accept_insecure
        return [*given, f"--hypothesis-profile={asked.profile}", f"--hypothesis-seed={asked.seed}"]

    def _subject(self) -> dict[str, str]:
        """Return what the run was about."""
        asked = self._conditions
        if asked.endpoint:
            return {"endpoint": asked.endpoint}
        if asked.target:
            return {"target": asked.target}
        return {"release": asked.release or self._facts.get("release", "")}

    def _write(self, results: Sequence[Result], broken: Sequence[str], *, finished: bool) -> None:
        asked = self._conditions
        content = {
            "form": _FORM,
            "suite": {"name": "chroma-conformance", "version": self._version},
            "finished": finished,
            **({"ended_by": self._ended_by} if self._ended_by else {}),
            "verdict": overall(self._levels.values()),
            "levels": {name: dataclasses.asdict(level) for name, level in self._levels.items()},
            "began": iso(self._began),
            "seconds": round(time.monotonic() - self._clock, 1),
            "run": asked.run_id,
            # Of a release that is verified as it lives, the name is found out on the cluster.
            **self._subject(),
            "fault": asked.fault,
            **({"caught": self._caught()} if self._fault and finished else {}),
            "provider": asked.provider,
            "patience": asked.patience,
            "hypothesis": {"profile": asked.profile, "seed": asked.seed},
            "versions": {"python": platform.python_version(), **self._facts, "packages": dict(_versions())},
            "images": [
                {"name": one.name, "digest": one.digest, "differences": list(one.differences)}
                for one in self.images
            ],
            "reproduce": self._command,
            "measured": self._measured,
            "times": {title: round(seconds, 1) for title, seconds in self._times(results).items()},
            "broken": list(broken),
            "required": asked.required,
            "conceded": list(asked.conceded),
            "unproved": self.unproved,
            **self.sharing,
            "scenarios": [_entry(result, self._given(), self._directory) for result in results],
        }
        text = json.dumps(self._redactor.plain(content), indent=2, ensure_ascii=False)
        # In one move: a reader always finds a whole one.
        draft = self._directory / f".{REPORT}.{asked.run_id}"
        draft.write_text(f"{text}\n", encoding="utf-8")
        draft.replace(self._directory / REPORT)


def version_of(kube: Kube) -> str:
    """Return the version of a cluster, as its nodes tell it; "unknown" where nodes may not be seen."""
    try:
        versions = {node["status"]["nodeInfo"]["kubeletVersion"] for node in kube.list("Node")}
    except ApiError:
        return "unknown"
    return ", ".join(sorted(versions))


def _unlike(image: UsedImage) -> str:
    """Say in short how an image differs from the preferred one; all of it stands in the report."""
    more = len(image.differences) - _SHOWN_DIFFERENCES
    words = "; ".join(image.differences[:_SHOWN_DIFFERENCES]) + (f"; and {more} more" if more > 0 else "")
    return f"image: {image.name} {image.digest}, not as preferred: {words}"


def _entry(result: Result, given: Sequence[str], directory: Path) -> dict[str, Any]:
    """Return what the report says of a scenario; its attachments are named from the report's directory."""
    scenario = result.scenario
    entry = {
        "id": result.nodeid,
        "feature": scenario.feature,
        "rule": scenario.rule,
        "scenario": scenario.name,
        "tags": list(scenario.tags),
        "place": scenario.place,
        "outcome": result.outcome,
        "started": iso(result.started) if result.started else "",
        "seconds": round(result.seconds, 3),
        "reason": result.reason,
        "message": result.message,
        "type": result.error if result.outcome in {"failed", "not_run", "flaky"} else "",
        "trouble": result.trouble,
        "remedy": result.remedy,
        "steps": list(result.steps),
        "evidence": result.evidence,
        "attachments": [file.relative_to(directory).as_posix() for file in bundle_files(result.evidence)],
        "earlier": [{"reason": one.reason, "message": one.message} for one in result.earlier],
        "worker": result.worker,
        "not_applicable": result.not_applicable,
        "reproduce": shlex.join(["pytest", result.nodeid, *given]),
    }
    return {name: value for name, value in entry.items() if value or name in {"tags", "rule", "seconds"}}


def _versions() -> Iterator[tuple[str, str]]:
    for package in _PACKAGES:
        try:
            yield package, version(package)
        except PackageNotFoundError:  # not part of this environment
            continue
