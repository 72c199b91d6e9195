"""What a release holds: each collection of the default tenant, and whether it can be listed, counted and queried."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final

from support.core.component import DEFAULT_DATABASE, TENANT
from support.core.parallel import in_parallel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_DATABASES: Final = f"/api/v2/tenants/{TENANT}/databases"
# What the suite makes for a scenario or for a proof, and removes by itself: its coming and going says nothing.
_OWN_DATABASES: Final = "conformance"
# How the collections are called that are made for a moment, each with the heartbeat that was seen before: what a killed
# process leaves of them is known by its age.
PROBE_PREFIX: Final = "chroma-conformance-pulse-"

# Collections asked for at once, and the most that a look tells apart.
_PAGE: Final = 100
_MOST: Final = 2000
# Bytes of vectors that a look lets a release load: its index keeps what was ever asked in memory (Chroma 1.5.9), beside a
# limit of 2 GiB that its users need.
_LOADED: Final = 128 * 2**20
_FLOAT: Final = 4


@dataclass(frozen=True)
class Answer:
    """What came back to a question; a `status` of 0 where nothing did. `message` says question and answer in a line."""

    status: int
    body: str
    message: str

    @property
    def is_error(self) -> bool:
        """Whether the release answered, and not with what was asked for."""
        return self.status >= 400

    def json(self) -> Any:
        """Return the body as JSON, None when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


if TYPE_CHECKING:
    # Asks by method, path and body.
    Ask = Callable[[str, str, dict[str, Any] | None], Answer]


@dataclass(frozen=True)
class Holding:
    """One collection: how many records it counts (None: not known), and whether it answered a query.

    `fault` is what came back instead of its count or of an answer, in the server's words; "" where nothing did.
    """

    database: str
    name: str
    id: str
    count: int | None = None
    queried: bool = False
    fault: str = ""
    dimension: int | None = None

    @property
    def title(self) -> str:
        """Its database and its name."""
        return f"{self.database}/{self.name}"

    def __str__(self) -> str:
        count = "an unknown number of" if self.count is None else self.count
        return f"{self.title} ({count} records)"


@dataclass(frozen=True)
class Holdings:
    """All that a release holds, in the order in which it lists them; `unlisted` says why they could not be listed."""

    collections: tuple[Holding, ...] = ()
    unlisted: str = ""

    @cached_property
    def by_id(self) -> Mapping[str, Holding]:
        """The collections by their ids."""
        return {one.id: one for one in self.collections}

    def has(self, sought: Holding) -> bool:
        """Whether a collection is there, by its id, or made again under its name."""
        return sought.id in self.by_id or (sought.database, sought.name) in self._names

    @cached_property
    def _names(self) -> set[tuple[str, str]]:
        return {(one.database, one.name) for one in self.collections}

    def __str__(self) -> str:
        records = sum(one.count or 0 for one in self.collections)
        plural = "" if len(self.collections) == 1 else "s"
        return f"{len(self.collections)} collection{plural} with {records} records"


def look(ask: Ask, seconds: float) -> Holdings:
    """List all collections, then count and query them, for so many seconds: what is not reached by then is not judged.

    The smallest are queried first, until together they have as many vectors as a release may well be made to load.
    """
    end = time.monotonic() + seconds
    listed, unlisted = _list(ask, end)
    if unlisted:
        return Holdings(unlisted=unlisted)
    counted = in_parallel([partial(_counted, ask, one, end) for one in listed])
    there = [one for one in counted if one is not None]
    chosen = {one.id for one in _affordable(there)}
    return Holdings(
        tuple(
            in_parallel(
                [
                    partial(_queried, ask, one, end) if one.id in chosen else partial(_as_it_is, one)
                    for one in there
                ]
            )
        )
    )


def _as_it_is(holding: Holding) -> Holding:
    return holding


def _list(ask: Ask, end: float) -> tuple[list[Holding], str]:
    """Return the collections of all databases, and why they could not be listed."""
    found: list[Holding] = []
    for database in _databases(ask):
        for answer in _pages(ask, f"{_DATABASES}/{database}/collections", end):
            page = answer.json()
            if answer.status != 200 or not isinstance(page, list):
                return [], answer.message
            found += [
                Holding(database, one["name"], one["id"], dimension=one.get("dimension"))
                for one in page
                if not one["name"].startswith(PROBE_PREFIX)
            ]
            if len(found) >= _MOST:
                return found[:_MOST], ""
    return found, ""


def _databases(ask: Ask) -> list[str]:
    """Return the default tenant's databases; a version that does not list them has its default one."""
    names: list[str] = []
    for answer in _pages(ask, _DATABASES, float("inf")):
        page = answer.json()
        if answer.status != 200 or not isinstance(page, list):
            return names or [DEFAULT_DATABASE]
        names += [one["name"] for one in page]
    return [name for name in names if name != _OWN_DATABASES and not name.startswith(f"{_OWN_DATABASES}-")]


def _pages(ask: Ask, path: str, end: float) -> Iterator[Answer]:
    offset = 0
    while time.monotonic() < end:
        answer = ask("GET", f"{path}?limit={_PAGE}&offset={offset}", None)
        yield answer
        page = answer.json()
        if answer.status != 200 or not isinstance(page, list) or len(page) < _PAGE:
            return
        offset += len(page)


def _counted(ask: Ask, one: Holding, end: float) -> Holding | None:
    """Return a collection with its count; None where somebody has deleted it meanwhile."""
    if time.monotonic() > end:
        return one
    answer = ask("GET", f"{_path(one)}/count", None)
    if answer.status == 404:
        return None
    if answer.is_error:
        return replace(one, fault=answer.message)
    count = answer.json()
    return replace(one, count=count) if isinstance(count, int) else one


def _affordable(holdings: Iterable[Holding]) -> Iterator[Holding]:
    """Yield the collections that are queried: the smallest first, and always one."""
    loaded = 0
    with_records = [one for one in holdings if one.count and not one.fault]
    for number, one in enumerate(sorted(with_records, key=lambda one: one.count or 0)):
        loaded += (one.count or 0) * (one.dimension or 1) * _FLOAT
        if number and loaded > _LOADED:
            return
        yield one


def _queried(ask: Ask, one: Holding, end: float) -> Holding:
    if time.monotonic() > end:
        return one
    dimension = one.dimension or _dimension(ask, one)
    if not dimension:
        return one
    vector = [1.0, *[0.0] * (dimension - 1)]
    asked = {"query_embeddings": [vector], "n_results": 1, "include": ["distances"]}
    answer = ask("POST", f"{_path(one)}/query", asked)
    if answer.status in {0, 404}:  # not in time, or deleted meanwhile
        return one
    found = answer.json() if answer.status == 200 else None
    if isinstance(found, dict) and any(found.get("ids") or ()):
        return replace(one, queried=True)
    return replace(one, fault=answer.message)


def _dimension(ask: Ask, one: Holding) -> int | None:
    """Return the dimension of a collection that does not state it, None where it has no record to tell."""
    answer = ask("POST", f"{_path(one)}/get", {"limit": 1, "include": ["embeddings"]})
    found = answer.json() if answer.status == 200 else None
    vectors = found.get("embeddings") if isinstance(found, dict) else None
    return len(vectors[0]) if vectors else None


def _path(one: Holding) -> str:
    return f"{_DATABASES}/{one.database}/collections/{one.id}"
