"""Large bodies on their way through the ingress: what passes, and who refuses what does not."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Final

from support import chroma, http
from support.access import CREDENTIALS
from support.laws import same_records
from support.outcomes import Outcome, expect
from support.ways import ingress

if TYPE_CHECKING:
    from support.chroma import Collection
    from support.http import Reply
    from support.namespace import Live

_MIB: Final = 1 << 20
_BLANKS: Final = b" " * 65536


def add(live: Live, collection: Collection, mebibytes: int) -> Reply:
    """Add two records to a collection in one body of so many MiB, through the ingress; raises `Unanswered`.

    All but some hundred bytes of it are blanks between the first id and the second. They have to be carried and read
    like anything else, and cost Chroma none of the memory that so many records would: some thirteen times the body.
    """
    body = _spread(mebibytes * _MIB)
    path = (
        f"/api/v2/tenants/{collection.tenant}/databases/{collection.database}/collections/{collection.id}/add"
    )
    shown = CREDENTIALS["with the right token"](live.token.get_secret_value())
    headers = [*shown, ("Content-Type", "application/json")]
    return http.ask(ingress(live.host, live.inventory), "POST", path, headers, body)


def assert_arrived(collection: Collection, reply: Reply) -> None:
    """Assert that a body of `add` was accepted and arrived to its end."""
    expect(Outcome.ACCEPTED, reply)
    same_records(chroma.records(2), chroma.contents(collection))


def assert_refused_by_release(reply: Reply) -> None:
    """Assert that a body was too large for the release itself, which like all it says says so in JSON."""
    expect(Outcome.TOO_LARGE, reply)
    assert _is_json(reply), f"refused by the ingress, and not by the release behind it: {reply}"


def assert_refused_by_ingress(reply: Reply) -> None:
    """Assert that a body was too large for the ingress, and that the release was not asked."""
    expect(Outcome.TOO_LARGE, reply)
    assert not _is_json(reply), (
        f"refused by the release, to which the ingress should not have passed it: {reply}"
    )


def _spread(size: int) -> http.Body:
    """Return a body that is `size` bytes long and adds the first two deterministic records."""
    told = {"ids": [], **chroma.columns(chroma.records(2))}
    first, second = (json.dumps(record.id) for record in chroma.records(2))
    head, tail = json.dumps(told).split("[]", 1)
    start, end = f"{head}[{first},".encode(), f"{second}]{tail}".encode()
    blanks = size - len(start) - len(end)
    filling = itertools.repeat(_BLANKS, blanks // len(_BLANKS))
    return http.Body(size, itertools.chain([start], filling, [_BLANKS[: blanks % len(_BLANKS)], end]))


def _is_json(reply: Reply) -> bool:
    return (reply.header("content-type") or "").startswith("application/json")
