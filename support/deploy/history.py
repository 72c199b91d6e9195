"""Keeps the revisions that were live in a namespace: what each was, when, by whom, and what it changed.

They lie in the record of the last live release and go with it; of secrets they hold only that one changed.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from support.core.component import LAST_LIVE
from support.core.errors import SuiteError
from support.deploy.last_live import packed, unpacked
from support.deploy.operator import who
from support.kube.diff import differences
from support.kube.objects import key
from support.release.release import Release

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.deploy.live import Live
    from support.kube.client import Kube
    from support.kube.objects import Objects

_HISTORY: Final = "history.json.gz"
# How many are kept, and how many changed fields of each: a Secret takes 1 MiB.
_MOST: Final = 20
_FIELDS: Final = 20
# Annotations that change with what they are the checksum of.
_ECHO: Final = "checksum"


class NoRevisionError(SuiteError):
    """There is no such revision to go back to, or this version of the suite cannot read it; the text says which there are."""


@dataclass(frozen=True)
class Revision:
    """One release that was live; `at` is in ISO 8601, `stated` the release as a file would state it, with its name."""

    number: int
    at: str
    who: str
    images: tuple[str, ...]
    changed: tuple[str, ...]
    stated: dict[str, Any]

    @property
    def name(self) -> str:
        """The name of the release."""
        return str(self.stated.get("name", "unknown"))

    def release(self) -> Release:
        """Return the release that it was; raises `NoRevisionError` where another version of the suite has stated it."""
        try:
            return Release.model_validate(self.stated)
        except ValidationError:
            raise NoRevisionError(
                f"revision {self.number} was recorded by another version of the suite, whose releases state other things: go "
                "back with that version, or apply a release of this one"
            ) from None


def recall(kube: Kube, namespace: str) -> list[Revision]:
    """Return the revisions that were live in a namespace, the oldest first; none where none is recorded."""
    found = kube.get("Secret", LAST_LIVE, namespace)
    if not found or _HISTORY not in found["data"]:
        return []
    return [
        Revision(**{**one, "images": tuple(one["images"]), "changed": tuple(one["changed"])})
        for one in unpacked(found["data"][_HISTORY])
    ]


def revision(kube: Kube, namespace: str, number: int) -> Revision:
    """Return one revision; raises `NoRevisionError`, which names those that there are."""
    there = recall(kube, namespace)
    found = next((one for one in there if one.number == number), None)
    if found:
        return found
    known = ", ".join(str(one.number) for one in there)
    raise NoRevisionError(
        f"there is no revision {number} in {namespace}: "
        + (f"there are {known}; `--history` shows them" if known else "none is recorded there")
    )


def note(former: Live | None, live: Live) -> None:
    """Record what has become live, unless it is what was live before; raises `ApiError`."""
    changed = tuple(_changes(former, live))
    if former and not changed:
        return
    kube, namespace = live.kube, live.namespace
    there = recall(kube, namespace)
    this = Revision(
        number=there[-1].number + 1 if there else 1,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        who=who(kube),
        images=live.release.images,
        changed=changed,
        stated=live.release.model_dump(mode="json"),
    )
    kept = [dataclasses.asdict(one) for one in (*there, this)][-_MOST:]
    kube.patch("Secret", LAST_LIVE, namespace, {"data": {_HISTORY: packed(kept)}})


def _changes(former: Live | None, live: Live) -> Iterator[str]:
    """Say in which fields a release differs from the one before it, a line each, and of no more than some."""
    if not former:
        return
    lines = [
        *(["the token"] if former.token != live.token else []),
        *(_differences(former.objects, live.objects)),
    ]
    yield from lines[:_FIELDS]
    if len(lines) > _FIELDS:
        yield f"… {len(lines) - _FIELDS} more"


def _differences(before: Objects, after: Objects) -> Iterator[str]:
    known, now = {key(obj): obj for obj in before}, {key(obj): obj for obj in after}
    for each in sorted(known.keys() | now.keys()):
        name = " ".join(each)
        if each not in now:
            yield f"{name} is removed"
        elif each not in known:
            yield f"{name} is added"
        else:
            changes = differences(known[each], now[each])
            yield from (f"{name}: {change}" for change in changes if _ECHO not in change.field)
