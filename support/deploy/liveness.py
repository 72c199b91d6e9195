"""Proves that a release is live as its users see it: its heartbeat advances, and it keeps what is written."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

from urllib3 import PoolManager
from urllib3.exceptions import HTTPError

from apiserver.errors import root_of
from support.chroma.holdings import PROBE_PREFIX, Answer, Holding, Holdings, look
from support.core.component import COLLECTIONS, HEARTBEAT, TOKEN_HEADER
from support.core.errors import SuiteError
from support.core.resolver import map_host, nameless
from support.core.restraint import restraint
from support.core.symptoms import Symptom
from support.diagnosis.findings import Cause
from support.network.way import ingress

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from pydantic import SecretStr

    from support.core.wait import Deadlines
    from support.platform.inventory import Inventory

E = TypeVar("E", bound=SuiteError)

# Connections that are kept: a look asks for many collections at once.
_CONNECTIONS: Final = 16
# Characters of an answer that are shown: Chroma says what is wrong at the end of a long sentence.
_WORDS: Final = 400
_WAY: Final = "ingress"
# The gateway answers an anonymous request with 401, Chroma itself with 403.
_REFUSALS: Final = {401, 403}


def made_at(name: str) -> int | None:
    """Return before which heartbeat, in nanoseconds, a collection of this name was made to prove a release; None for others."""
    found = re.fullmatch(rf"{PROBE_PREFIX}(?:([0-9a-f]{{12,}})-)?[0-9a-f]{{8}}", name)
    return int(found[1] or "0", 16) if found else None


@dataclass(frozen=True)
class _Said:
    """What was asked, and what came back."""

    method: str
    path: str
    status: int
    text: str

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_client_error(self) -> bool:
        return 400 <= self.status < 500

    def json(self) -> Any:
        return json.loads(self.text)

    def told(self, how: str = "") -> str:
        """Return both in a line."""
        way = " ".join(filter(None, (how, "through the ingress")))
        path = self.path.partition("?")[0]
        return f"{self.method} {path} {way}: {self.status} {self.text[:_WORDS].strip()}"


class NotYet(SuiteError):  # noqa: N818 - a fact, not a mistake
    """A release does not live yet; the text says what was asked and what came back."""


class Nameless(NotYet):
    """The host of a release has no address here; the text says which name, and why."""


class NeverWill(SuiteError):  # noqa: N818 - a fact, not a mistake
    """A release answered in a way that no waiting changes; the text says what was asked and what came back."""


class Unreadable(NotYet):
    """What was there before is listed and does not answer; the text says what, in the server's words. It may be busy."""

    cause: Final = Cause.UNREADABLE


class Lost(NeverWill):
    """What was there before is not there; the text says what."""

    cause: Final = Cause.LOST


class Locked(NeverWill):
    """A release does not take the token that it was deployed with; the text says what was asked and what came back."""


class Insecure(NeverWill):
    """A release serves anonymous callers; the text says what was asked and what came back."""


@dataclass
class Expectation:
    """What a release has to hold in order to be live, and what it was found to hold (None: not looked at yet).

    `before` is what was there; `certain` when that was seen at the moment before the pod was touched, or lay on another
    claim than it does now: then an empty release has lost it. What is known from an earlier look alone may have been
    deleted since. `moved`: another version takes the data over, so that all that is listed has to answer. `spared`: the
    release is brought back, and what it lacks of the rest is reported, not held against it.
    """

    before: Holdings = field(default_factory=Holdings)
    certain: bool = False
    moved: bool = False
    spared: bool = False
    found: Holdings | None = None

    def check(self, now: Holdings) -> None:
        """Note what is there now; raises `Lost` or `Unreadable` where that is not what was there."""
        self.found = now
        held = self.before.collections
        if now.unlisted and (held or self.moved):
            raise Unreadable(f"its collections cannot be listed: {now.unlisted}")
        if self.certain and held and not any(map(now.has, held)):
            raise Lost(f"of {self.before} that were there, nothing is")
        if silent := self._silent(now):
            others = f"; nor does {', '.join(one.title for one in silent[1:4])}" if silent[1:] else ""
            more = f" and {len(silent) - 4} more" if silent[4:] else ""
            raise Unreadable(f"collection {silent[0].title}: {silent[0].fault}{others}{more}")
        if (lost := self.lost()) and not self.spared:
            raise Lost("; ".join(lost))

    def lost(self) -> list[str]:
        """Say which collections are gone or empty that were there the moment before, the first three of them."""
        if self.found is None or not self.certain:
            return []
        found, by_id = self.found, self.found.by_id
        gone = [f"collection {one} is gone" for one in self.before.collections if not found.has(one)]
        emptied = [
            f"collection {one} is empty"
            for one in self.before.collections
            if one.count and (now := by_id.get(one.id)) and now.count == 0
        ]
        more = [f"and {len(gone) + len(emptied) - 3} more"] if len(gone) + len(emptied) > 3 else []
        return (gone + emptied)[:3] + more

    def _silent(self, now: Holdings) -> list[Holding]:
        """Return the collections that do not answer, but for those that did not before."""
        return [
            one
            for one in now.collections
            if one.fault and self._answered(self.before.by_id.get(one.id), now=one)
        ]

    def _answered(self, was: Holding | None, *, now: Holding) -> bool:
        """Whether a collection that does not answer now has to, since it did before or nothing is known against it."""
        if was is None:
            return self.moved
        counted_then_alone = was.count is not None and now.count is None
        return not was.fault and (self.moved or was.queried or counted_then_alone)


class HealthCheck:
    """Checks through the ingress that a release is live.

    The heartbeat advances, anonymous requests are rejected, the data is there, and a write is acknowledged.

    A heartbeat alone says nothing about the data: it advances over a volume that is gone (docs/chroma.md).
    A context manager. `accept_insecure` accepts an insecure release: it is called with a description of the answer.
    """

    def __init__(  # noqa: PLR0917 - what it stands on
        self,
        host: str,
        inventory: Inventory,
        token: SecretStr,
        deadlines: Deadlines,
        accept_insecure: Callable[[str], None] | None = None,
        expected: Expectation | None = None,
    ) -> None:
        way = ingress(host, inventory)
        self._host, self._named = host, inventory.ingress_address
        self._url, self._patience = way.url, deadlines.answer
        self._client = PoolManager(ssl_context=way.verify, maxsize=_CONNECTIONS, retries=False)
        self._token = {TOKEN_HEADER: token.get_secret_value()}
        self._address = map_host(host, inventory.ingress_address) if inventory.ingress_address else None
        self._first: int | None = None
        self._accept_insecure = accept_insecure
        self.expected = expected or Expectation()
        self._look = deadlines.look

    def __enter__(self) -> Self:
        if self._address:
            self._address.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.clear()
        if self._address:
            self._address.__exit__(kind, error, trace)

    def heartbeat(self) -> int:
        """Return the heartbeat, in nanoseconds; raises `NotYet` while there is none."""
        answer = self._ask("GET", HEARTBEAT)
        if answer.status != 200:
            raise _seen(NotYet, answer)
        try:
            return int(answer.json()["nanosecond heartbeat"])
        except (ValueError, TypeError, KeyError):
            raise _seen(NotYet, answer) from None

    def heartbeat_advances(self) -> bool:
        """Look once; return whether a heartbeat later than the first one seen has come."""
        now = self.heartbeat()
        if self._first is None:
            self._first = now
            now = self.heartbeat()
        if now <= self._first:
            raise NotYet(f"its heartbeat stands still at {now}")
        return True

    def rejects_anonymous(self) -> bool:
        """Send a request without the token; return whether it was rejected, or an insecure release is accepted.

        Raises `Insecure` when the release serves it, `NotYet` when the answer says neither.
        """
        answer = self._ask("GET", COLLECTIONS, token={})
        if answer.is_success and self._accept_insecure is None:
            raise _seen(Insecure, answer, "without a token")
        if answer.is_success and self._accept_insecure:
            self._accept_insecure(answer.told("without a token"))
        elif answer.status not in _REFUSALS:
            raise _seen(NotYet, answer, "without a token")
        return True

    def accepts_token(self) -> bool:
        """Ask for one collection with the token; return whether that was answered.

        Raises `Locked` when the release does not take the token, `NotYet` when the answer says neither.
        """
        answer = self._ask("GET", f"{COLLECTIONS}?limit=1")
        if answer.is_success:
            return True
        raise _seen(Locked if answer.status in _REFUSALS else NotYet, answer)

    def holdings(self) -> Holdings:
        """Return what the release holds; raises `Lost` or `Unreadable` where that is not what is expected."""
        found = look(self._answer, self._look)
        self.expected.check(found)
        return found

    def _answer(self, method: str, path: str, body: dict[str, Any] | None) -> Answer:
        try:
            answer = self._ask(method, path, body)
        except NotYet as error:
            return Answer(0, "", str(error))
        return Answer(answer.status, answer.text, answer.told())

    def acknowledges_write(self, *, indexed: bool) -> bool:
        """Write into a collection made for it, and remove that; return whether all was acknowledged.

        `indexed`: a record, whose vector is indexed, which leaves the files of the index on the claim for good. Otherwise
        the write goes to the log alone, which is what an acknowledgement stands for (docs/persistence.md).

        Raises `NeverWill` when the release refuses the writer (4xx): the gateway and the ingress are there already.
        """
        # Updating an id that is not there is acknowledged, logged, and changes nothing.
        way, columns = (
            ("add", {"embeddings": [[1.0]]}) if indexed else ("update", {"metadatas": [{"pulse": True}]})
        )
        name = f"{PROBE_PREFIX}{self._first or self.heartbeat():x}-{secrets.token_hex(4)}"
        collection = self._write("POST", COLLECTIONS, {"name": name}).json()["id"]
        try:
            self._write("POST", f"{COLLECTIONS}/{collection}/{way}", {"ids": ["pulse"], **columns})
        finally:
            # Even when the write has failed: what the suite made goes with it.
            self._write("DELETE", f"{COLLECTIONS}/{name}")
        return True

    def _write(self, method: str, path: str, body: dict[str, Any] | None = None) -> _Said:
        answer = self._ask(method, path, body)
        if answer.is_success:
            return answer
        if answer.status in _REFUSALS:
            raise _seen(Locked, answer)
        raise _seen(NeverWill if answer.is_client_error else NotYet, answer)

    def _ask(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        token: dict[str, str] | None = None,
    ) -> _Said:
        shown = self._token if token is None else token
        headers = {} if path == HEARTBEAT else shown
        content = None if body is None else json.dumps(body).encode()
        if content is not None:
            headers = {**headers, "Content-Type": "application/json"}
        try:
            with restraint().asking(method, path, len(content or b"")):
                came = self._client.request(
                    method,
                    self._url + path,
                    body=content,
                    headers=headers,
                    timeout=self._patience,
                    redirect=False,
                )
        except (HTTPError, OSError) as error:
            if why := nameless(self._host, self._named):
                raise Nameless(why, symptom=Symptom(why, error=Nameless.__name__)) from error
            seen = Symptom.failed(f"{method} {path} through the ingress", _WAY, root_of(error))
            raise NotYet(seen.words, symptom=seen) from error
        return _Said(method, path, came.status, came.data.decode("utf-8", "replace"))


def _seen(kind: type[E], answer: _Said, how: str = "") -> E:
    """Return an error of a kind that says what was asked and what came back, in words and in fields."""
    words, served = answer.told(how), kind is Insecure
    return kind(words, symptom=Symptom.answered(words, _WAY, answer.status, answer.text, let_in=served))
