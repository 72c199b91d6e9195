"""Waits for facts, each with a named deadline; the only place of the suite that sleeps."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from support.core.errors import SuiteError
from support.core.symptoms import symptom_of

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

# Seconds between two looks: about what a look at the API server costs (3-5 ms), many times over.
_PAUSE: Final = 0.05


@dataclass(frozen=True)
class Deadlines:
    """How long each thing may take, in seconds; `--patience` scales them all for a slow or a distant cluster."""

    # From apply until the release is live: the documentation of the component waits 300 s, mostly for the first pull
    # of a large image. Nothing in here waits that long for what cannot heal: support/diagnosis/causes.py refuses it early.
    live: float = 120.0
    # For each record whose index is built anew before a release is ready: 0.6 ms of 10,000 on a quiet processor, 4 ms of
    # 100,000 on a busy one (docs/persistence.md).
    record: float = 0.01
    # For the images that are pulled before a live release is touched; the release's own deadline begins afterwards.
    prepull: float = 120.0
    # How long a sign that may heal by itself has to last before it is believed (a registry that does not answer,
    # a node that is full, a quota that is being given back).
    doubt: float = 10.0
    # From a ready pod until its heartbeat and a write come through the ingress: controllers need 0.1-0.7 s for a new
    # route (docs/kubernetes-signs.md#the-way-in), those in front of a cloud's load balancer longer.
    answering: float = 15.0
    # For the claim to be bound ahead of the pod; afterwards the pod is made nevertheless, and the scheduler decides.
    claim: float = 3.0
    # From a deletion until the object is gone: a pod is given 60 s to end, and a namespace dies in rounds of 5 s.
    gone: float = 90.0
    # For the service account that every new namespace is given by the controller manager.
    namespace: float = 10.0
    # From the last renewal of a run's mark until the run counts as dead, where its process cannot be looked for: several
    # times what a busy machine keeps a thread waiting.
    mark: float = 30.0
    # For a look at all collections that a release holds; what is not reached by then is not judged.
    look: float = 10.0
    # For one request to Chroma, sent by the suite itself; a write may wait for an index that is being written.
    answer: float = 10.0
    # For one question of a scenario, and for one call of Chroma's client, which would wait for ever by itself: both far
    # above any healthy answer. A batch takes several of those.
    question: float = 30.0
    call: float = 60.0
    # For as long as somebody else's writes may keep the suite from making or removing a database.
    locked: float = 10.0
    # To connect to the API server, and for its answer: far above any healthy one, so that only a dead server meets them.
    connect: float = 5.0
    request: float = 30.0
    # From the API server's first failure under a watch until that is the cluster's failure: it restarts, or is busy.
    outage: float = 15.0
    # For a watch to show what was applied; it takes milliseconds.
    lag: float = 2.0
    # For the vantage's answer to CONNECT (it gives up on its target after two seconds), and for a connection that one side has
    # ended and in which nothing moves any more: on its way through the API server there is no word for "I have finished".
    consent: float = 10.0
    linger: float = 5.0
    # For a stream of the transfer pod in which not a byte moves: a disk may take its time to sync.
    silence: float = 120.0
    # For one program that reads something in a container.
    reading: float = 10.0
    # For a worker to end its scenario, take evidence and roll back, before xdist ends it the hard way.
    farewell: float = 60.0
    # For an object of which it is known that it cannot go.
    hopeless: float = 2.0

    def scaled(self, patience: float) -> Deadlines:
        """Return the same deadlines, each `patience` times as long."""
        fields = dataclasses.fields(self)
        return Deadlines(**{field.name: getattr(self, field.name) * patience for field in fields})


_in_force = Deadlines()


def keep(deadlines: Deadlines) -> None:
    """Let these deadlines hold in this process: as it has one resolver, it has one patience, that of --patience."""
    global _in_force  # noqa: PLW0603 - see above
    _in_force = deadlines


def kept() -> Deadlines:
    """Return the deadlines that hold in this process; the usual ones until others are given."""
    return _in_force


class Timeout(SuiteError, AssertionError):  # noqa: N818 - the suite's word for it
    """A fact has not become true before its deadline; the text says which, and what was seen last."""


def wait_for(
    probe: Callable[[], T | None],
    deadline: float,
    what: Callable[[], str],
    not_yet: tuple[type[Exception], ...] = (),
) -> T:
    """Look until `probe` returns something true, and return that; the first look comes at once.

    `deadline` is in seconds. An error of one of the types `not_yet` counts as "not yet", any other ends the wait; so
    does one that says of itself, by a field `lasting`, that no waiting changes it.
    `what` is asked only when the deadline has passed, and says what was promised and what is seen instead:
    'release "gateway" not live'. The text becomes "Timeout: <what> after <deadline> s: <last error>".
    """
    end = time.monotonic() + deadline
    while True:
        error: Exception | None = None
        try:
            if found := probe():
                return found
        except not_yet as caught:
            if getattr(caught, "lasting", False):
                raise
            error = caught
        if time.monotonic() >= end:
            seen = f": {error}" if error else ""
            raise Timeout(
                f"Timeout: {what()} after {deadline:g} s{seen}", symptom=symptom_of(error) if error else None
            ) from error
        pause()


def pause(seconds: float = _PAUSE) -> None:
    """Let some time pass between two looks."""
    time.sleep(seconds)
