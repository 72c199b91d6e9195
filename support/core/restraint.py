"""What a run may send to a cluster and to a release, and what it has sent: one account for each process, kept where requests leave."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from support.core.errors import SuiteError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

# Methods of HTTP that change nothing; CONNECT asks for a tunnel, and nothing goes through it by itself.
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "CONNECT"})
# Questions that Chroma takes as a POST.
_QUESTIONS: Final = re.compile(r"/(get|query|count|search)$")
# Questions about oneself that the API server takes as a POST; nothing comes of them.
_REVIEWS: Final = re.compile(r"^apis/(authorization|authentication)\.k8s\.io/v\w+/self\w*reviews$")
# Where records are added, and what takes things away: a clean-up is never held up by a budget.
_ADDING: Final = re.compile(r"/(add|upsert)$")
_REMOVING: Final = re.compile(r"/delete$")
# The share of the bytes that one body may have: larger ones cost a release its memory.
_BODY_SHARE: Final = 4


# How much a run may send to a release that people use, by the names of the option --budget. `busy` is the share of the time, in
# per cent, in which the release works for the run: as few of its users then meet it at work, and the 95th percentile of their
# answers is that of the others (docs/live-clusters.md).
VERIFYING: Final = {"requests": 50.0, "busy": 4.0, "records": 20_000.0, "mebibytes": 64.0}


# Seconds of work after which it is made up for.
_BURST: Final = 0.3


class DisturbanceError(SuiteError):
    """A scenario asked for what its run must not do; the text says which tag it lacks, and what it asked for."""

    remedy = "give the scenario that tag, and see why tests/specification/test_modes.py has not missed it"


class OverBudget(BaseException):
    """What a scenario would send does not fit into the budget of the run any more; nothing of it was sent.

    It ends the scenario as a skip does: no step may take it for the answer to what it tries.
    """


@dataclass(frozen=True)
class Budget:
    """How much a run may send to a release: requests a second, records, and bytes of bodies; infinity where nothing limits it.

    `busy` is the share of the time in which the release may work for the run, at most 1.
    """

    requests: float = float("inf")
    busy: float = 1.0
    records: float = float("inf")
    bytes: float = float("inf")

    @classmethod
    def of(cls, limits: Mapping[str, float]) -> Budget:
        """Return what some limits come to, by the names of `VERIFYING`; what is not named is not limited."""
        given = {**dict.fromkeys(VERIFYING, float("inf")), **limits}
        busy = min(given["busy"] / 100, 1.0)
        return cls(given["requests"], busy, given["records"], given["mebibytes"] * (1 << 20))

    def __str__(self) -> str:
        requests = f"{self.requests:g} requests a second" if self.requests < float("inf") else ""
        busy = f"{self.busy:.0%} of the time" if self.busy < 1 else ""
        records = f"{self.records:g} records" if self.records < float("inf") else ""
        size = _mebibytes(self.bytes) if self.bytes < float("inf") else ""
        return ", ".join(filter(None, (requests, busy, records, size))) or "no limit"


class TokenBucket:
    """Lets so many a second pass, and as many at once; who comes too early waits, in turn."""

    def __init__(
        self,
        rate: float,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], object] | None = None,
    ) -> None:
        self._rate = rate
        self._clock = clock
        # Nobody sets it: to wait for it is to wait for the time.
        self._pause = pause or threading.Event().wait
        self._tokens = rate
        self._then = clock()
        self._lock = threading.Lock()

    def take(self) -> float:
        """Take a turn; return the seconds for which that was waited."""
        with self._lock:
            now = self._clock()
            self._tokens = min(self._rate, self._tokens + (now - self._then) * self._rate) - 1
            self._then = now
            wait = max(0.0, -self._tokens / self._rate)
        if wait:
            self._pause(wait)
        return wait


class Share:
    """Lets others work a share of the time, in bursts: who has let them work for as long as one waits until it is made up for.

    Of a hundred users, as many as the share meet others at work; were each answer made up for by itself, users would meet its
    beginning or its end as well, half as many again.
    """

    def __init__(
        self,
        share: float,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], object] | None = None,
    ) -> None:
        self._share = share
        self._clock = clock
        self._pause = pause or threading.Event().wait
        # When what they have worked so far is made up for.
        self._due = clock()
        self._lock = threading.Lock()

    def worked(self, seconds: float) -> None:
        """Account for work that has just ended."""
        with self._lock:
            self._due = max(self._due, self._clock() - seconds) + seconds / self._share

    def take(self) -> float:
        """Wait until there may be more work; return the seconds for which that was waited."""
        with self._lock:
            wait = self._due - self._clock()
        if wait * self._share < _BURST:
            return 0.0
        self._pause(wait)
        return wait


class Restraint:
    """What this process may send, and what it has sent; safe to use from several threads.

    `mode` is the option that restrains it, "" where nothing does: then it only counts. `changes`: it may change the cluster;
    `writes`: it may write through Chroma; `runs_commands`: it may run commands in containers.
    """

    def __init__(
        self,
        mode: str = "",
        *,
        changes: bool = True,
        writes: bool = True,
        runs_commands: bool = True,
        budget: Budget = Budget(),
    ) -> None:
        self.mode = mode
        self.budget = budget
        self.tally: Counter[str] = Counter()
        # Seconds, of all its threads: whoever measures how long an answer takes leaves them out.
        self.waited = 0.0
        # What was asked to be made on the cluster, by its path, and whether it went again; None: it is meant to stay.
        self.made: dict[str, bool | None] = {}
        self.changes = changes
        self._writes = writes
        self._runs_commands = runs_commands
        self._bucket = TokenBucket(budget.requests) if budget.requests < float("inf") else None
        self._share = Share(budget.busy) if budget.busy < 1 else None
        self._own: set[str] = set()
        self._kept: set[str] = set()
        self._disturbances: list[str] = []
        self._lock = threading.Lock()

    def own(self, *paths: str) -> None:
        """Let objects of these paths of the API be made, and removed again."""
        self._own.update(paths)

    def keep(self, path: str) -> None:
        """Let an object of this path of the API be made, which outlives the run."""
        self._own.add(path)
        self._kept.add(path)

    def asks_cluster(self, method: str, path: str, *, dry_run: bool = False) -> None:
        """Account for a request to the API server, before it leaves; raises `DisturbanceError`."""
        looks = method in _READING or bool(_REVIEWS.match(path))
        if not looks and not self.changes and path not in self._own:
            tried = " (only tried)" if dry_run else ""
            raise self._refused("deploying", f"{method} /{path} would change the cluster{tried}")
        with self._lock:
            self.tally["api reads" if looks else "api writes"] += 1
            if not looks and not dry_run:
                self._note(method, path)

    def opens_pod(self, path: str, what: str) -> None:
        """Account for a connection into a pod (portforward, exec); raises `DisturbanceError`."""
        if not self.changes and what == "portforward" and path not in self._own:
            raise self._refused("deploying", f"{what} into /{path} goes past the ways that users take")
        with self._lock:
            self.tally[what] += 1

    @property
    def runs_commands(self) -> bool:
        """Whether commands may be run in containers."""
        return self.changes or self._runs_commands

    def asks_release(self, method: str, path: str, size: int = 0, records: int = 0) -> None:
        """Account for a request to a release, before it leaves; it waits for its turn.

        `size` is that of the body in bytes. Raises `DisturbanceError` for what must not be written, `OverBudget` for
        what does not fit.
        """
        path = path.partition("?")[0]
        looks = method in _READING or (method == "POST" and bool(_QUESTIONS.search(path)))
        if not looks and not self._writes:
            raise self._refused("writing", f"{method} {path} would write through Chroma")
        if method != "DELETE" and not _REMOVING.search(path):
            self._spend(size, records if _ADDING.search(path) else 0)
        with self._lock:
            self.tally["reads" if looks else "writes"] += 1
        waited = sum(one.take() for one in (self._bucket, self._share) if one)
        if waited:
            with self._lock:
                self.waited += waited
                self.tally["waits"] += 1
                self.tally["waited ms"] += round(waited * 1000)

    @contextmanager
    def asking(self, method: str, path: str, size: int = 0, records: int = 0) -> Iterator[None]:
        """Account for a request to a release and for its answer, which comes within a `with` block; see `asks_release`."""
        self.asks_release(method, path, size, records)
        sent = time.monotonic()
        try:
            yield
        finally:
            self.was_answered(time.monotonic() - sent)

    def was_answered(self, seconds: float) -> None:
        """Account for an answer of a release, which took so long after its request had left."""
        with self._lock:
            self.tally["busy ms"] += round(seconds * 1000)
        if self._share:
            self._share.worked(seconds)

    def _spend(self, size: int, records: int) -> None:
        with self._lock:
            if size > self.budget.bytes / _BODY_SHARE:
                raise OverBudget(
                    f"one body of {_mebibytes(size)} is more than a quarter of the budget of {_mebibytes(self.budget.bytes)}"
                )
            if self.tally["bytes"] + size > self.budget.bytes:
                raise OverBudget(f"the budget of {_mebibytes(self.budget.bytes)} is used up")
            if self.tally["records"] + records > self.budget.records:
                raise OverBudget(f"the budget of {self.budget.records:g} records is used up")
            self.tally["bytes"] += size
            self.tally["records"] += records

    def _refused(self, tag: str, what: str) -> DisturbanceError:
        """Take down what was refused: a step that takes the error for an answer must not hide it."""
        why = f"it lacks its tag @needs-{tag}: {what}, which {self.mode} does not"
        with self._lock:
            self._disturbances.append(why)
        return DisturbanceError(why)

    def disturbances(self) -> list[str]:
        """Return what was refused since the last call."""
        with self._lock:
            found, self._disturbances = self._disturbances, []
        return found

    def _note(self, method: str, path: str) -> None:
        if method == "DELETE":
            # With a namespace goes what is in it.
            self.made |= {one: True for one in self.made if one == path or one.startswith(f"{path}/")}
        elif path not in self.made:
            self.made[path] = None if path in self._kept else False


def _mebibytes(size: float) -> str:
    return f"{size / (1 << 20):.3g} MiB"


_in_force = Restraint()


def restrain(restraint: Restraint) -> None:
    """Let this hold in this process: as it has one patience, it has one restraint, that of its options."""
    global _in_force  # noqa: PLW0603 - see above
    _in_force = restraint


def restraint() -> Restraint:
    """Return what holds in this process; nothing is restrained until something is."""
    return _in_force
