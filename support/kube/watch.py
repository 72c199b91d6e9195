"""Keeps the objects of a namespace current, by watching the API server."""

from __future__ import annotations

import json
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from urllib3.exceptions import HTTPError

from support.core.wait import kept, pause
from support.kube.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType
    from typing import Self

    from support.kube.client import Kube
    from support.kube.objects import Object, Objects

# Seconds of silence after which objects are listed: a watch that something on the way has cut off says nothing for ever.
_SILENCE: Final = 5.0
# Seconds between two tries meanwhile.
_PAUSE: Final = 0.5


class Watch:
    """All objects of some kinds in a namespace, kept current by one thread per kind; a context manager.

    `objects` maps (kind, name) to the object as last seen; take a copy before iterating over it, as `snapshot`
    does. An object that is gone is absent. A watch that is silent is no witness: `refresh` before judging.
    """

    def __init__(self, kube: Kube, kinds: Iterable[str], namespace: str) -> None:
        self.objects: dict[tuple[str, str], Object] = {}
        self._kube = kube
        self._kinds = tuple(kinds)
        self._namespace = namespace
        self._changed = threading.Condition()
        self._changes = self._seen = 0
        self._error: Exception | None = None
        self._streams: dict[str, Any] = {}
        self._closed = False
        self._heard = time.monotonic()
        self._lost: float | None = None  # since when the objects cannot be listed

    def __enter__(self) -> Self:
        versions = {kind: self._relist(kind) for kind in self._kinds}
        for kind, version in versions.items():
            name = f"watch {kind}"
            threading.Thread(target=self._follow, args=(kind, version), name=name, daemon=True).start()
        self._seen = self._changes
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._closed = True
            streams = list(self._streams.values())
        for stream in streams:
            _wake(stream)

    def wait(self, timeout: float) -> bool:
        """Block until something has changed since the last call, at most `timeout` seconds; return whether it has.

        Where nothing was heard for a while, the objects are listed. Raises what the API server failed with, when it
        stopped answering.
        """
        self._end_silence()
        with self._changed:
            changed = self._changed.wait_for(lambda: self._changes != self._seen or self._error, timeout)
            if self._error:
                raise self._error
            self._seen = self._changes
            return bool(changed)

    def refresh(self) -> None:
        """List all objects now; raises what the API server fails with, once that cannot pass or has lasted."""
        try:
            for kind in self._kinds:
                self._relist(kind)
            self._lost = None
        except ApiError as error:
            self._lost = self._lost or time.monotonic()
            if not _may_pass(error) or time.monotonic() - self._lost > kept().outage:
                raise

    def latest(self) -> dict[tuple[str, str], Object]:
        """Return all objects as they are now; raises what the API server failed with, when it stopped answering."""
        self._end_silence()
        with self._changed:
            if self._error:
                raise self._error
            return self.objects.copy()

    def _end_silence(self) -> None:
        if time.monotonic() - self._heard > _SILENCE:
            self._heard = time.monotonic()
            self.refresh()

    def snapshot(self, kind: str) -> Objects:
        """Return the objects of a kind as they are now."""
        with self._changed:
            return [obj for (of_kind, _), obj in self.objects.items() if of_kind == kind]

    def _relist(self, kind: str) -> str:
        objects, version = self._kube.listing(kind, self._namespace)
        there = {(kind, obj["metadata"]["name"]): obj for obj in objects}
        with self._changed:
            for key in [key for key in self.objects if key[0] == kind and key not in there]:
                # One that was made after the list comes by the watch alone.
                if not _is_later(self.objects[key], version):
                    del self.objects[key]
            for key, obj in there.items():
                if not (key in self.objects and _is_later(self.objects[key], _version(obj))):
                    self.objects[key] = obj
            self._note_change()
        return version

    def _follow(self, kind: str, version: str) -> None:
        """Take in changes until the end; where they cannot be had, list, and give up once that fails for too long."""
        reached: str | None = version
        lost: float | None = None
        while not self._closed:
            try:
                if not reached:
                    reached, lost = self._relist(kind), None
                reached = self._read_stream(kind, reached)
            except Exception as error:  # noqa: BLE001 - raised where it is waited for
                lost = lost or time.monotonic()
                if not _may_pass(error) or time.monotonic() - lost > kept().outage:
                    with self._changed:
                        self._error = None if self._closed else error
                        self._note_change()
                    return
                reached = None
                pause(_PAUSE)

    def _read_stream(self, kind: str, version: str) -> str | None:
        """Take in changes until the stream ends; return the version reached, None when it has to be listed anew."""
        stream = self._kube.changes(kind, self._namespace, version)
        with self._changed:
            self._streams[kind] = stream
            if self._closed:
                _wake(stream)
        try:
            for change in _lines(stream):
                if change["type"] == "ERROR":  # most often 410: the version is too old to go on from
                    return None
                obj = change["object"]
                version = obj["metadata"]["resourceVersion"]
                if change["type"] != "BOOKMARK":
                    self._take(kind, obj, gone=change["type"] == "DELETED")
        # Cut off in the middle, by the network or by __exit__, or garbled.
        except (HTTPError, OSError, ValueError, KeyError, TypeError):
            return None
        finally:
            stream.close()
        return version

    def _take(self, kind: str, obj: Object, *, gone: bool) -> None:
        key = (kind, obj["metadata"]["name"])
        with self._changed:
            if gone:
                self.objects.pop(key, None)
            elif not (key in self.objects and _is_later(self.objects[key], _version(obj))):
                self.objects[key] = obj
            self._heard = time.monotonic()
            self._note_change()

    def _note_change(self) -> None:
        self._changes += 1
        self._changed.notify_all()


def _version(obj: Object) -> str:
    return str(obj["metadata"].get("resourceVersion", ""))


def _is_later(obj: Object, version: str) -> bool:
    """Whether an object was written after a version; versions that are no numbers have no order."""
    mine = _version(obj)
    return mine.isdecimal() and version.isdecimal() and int(mine) > int(version)


def _may_pass(error: Exception) -> bool:
    """Whether an API server that failed so may answer a moment later."""
    return isinstance(error, ApiError) and not error.lasting


def _wake(stream: Any) -> None:
    """End a stream under the thread that reads it; one that has ended already is fine."""
    with suppress(OSError, ValueError):
        stream.shutdown()


def _lines(stream: Any) -> Iterator[Object]:
    rest = b""
    for chunk in stream.stream(amt=None):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (json.loads(line) for line in lines if line)
