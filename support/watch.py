"""Keeps the objects of a namespace current, by watching the API server."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from urllib3.exceptions import HTTPError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType
    from typing import Self

    from support.kube import Kube, Object, Objects


class Watch:
    """All objects of some kinds in a namespace, kept current by one thread per kind; a context manager.

    `objects` maps (kind, name) to the object as last seen; take a copy before iterating over it, as `snapshot`
    does. An object that is gone is absent.
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

        Raises what the API server failed with, when it stopped answering.
        """
        with self._changed:
            changed = self._changed.wait_for(lambda: self._changes != self._seen or self._error, timeout)
            if self._error:
                raise self._error
            self._seen = self._changes
            return bool(changed)

    def snapshot(self, kind: str) -> Objects:
        """Return the objects of a kind as they are now."""
        with self._changed:
            return [obj for (of_kind, _), obj in self.objects.items() if of_kind == kind]

    def _relist(self, kind: str) -> str:
        objects, version = self._kube.listing(kind, self._namespace)
        with self._changed:
            for key in [key for key in self.objects if key[0] == kind]:
                del self.objects[key]
            self.objects.update({(kind, obj["metadata"]["name"]): obj for obj in objects})
            self._note_change()
        return version

    def _follow(self, kind: str, version: str) -> None:
        try:
            while True:
                reached = self._read_stream(kind, version)
                if self._closed:
                    return
                version = reached or self._relist(kind)
        except Exception as error:  # noqa: BLE001 - told to whoever waits
            with self._changed:
                self._error = None if self._closed else error
                self._note_change()

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
        except (HTTPError, OSError, ValueError):  # cut off in the middle, by the network or by __exit__
            return None
        finally:
            stream.close()
        return version

    def _take(self, kind: str, obj: Object, *, gone: bool) -> None:
        key = (kind, obj["metadata"]["name"])
        with self._changed:
            if gone:
                self.objects.pop(key, None)
            else:
                self.objects[key] = obj
            self._note_change()

    def _note_change(self) -> None:
        self._changes += 1
        self._changed.notify_all()


def _wake(stream: Any) -> None:
    """End a stream under the thread that reads it; one that has ended already is fine."""
    with suppress(OSError, ValueError):
        stream.shutdown()


def _lines(stream: Any) -> Iterator[Object]:
    rest = b""
    for chunk in stream.stream(amt=None):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (json.loads(line) for line in lines if line)
