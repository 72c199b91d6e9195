"""Maps host names to an address inside this process only; the machine's resolver and hosts file stay as they are."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_resolve = socket.getaddrinfo
_lock = threading.Lock()
# (name or "*.domain", address), the newest first. Replaced as a whole, so that readers need no lock.
_mappings: tuple[tuple[str, str], ...] = ()


@contextmanager
def map_host(host: str, address: str) -> Iterator[None]:
    """Let `host` (a name, or "*.domain" for every name below it) resolve to `address` while the context lasts.

    Holds for every thread and for whatever asks `socket.getaddrinfo`: httpx, chromadb's client, http.client, asyncio.
    Mappings may overlap and end in any order; of two for one name the newer one counts.
    """
    mapping = (host.lower(), address)
    _change(lambda mappings: (mapping, *mappings))
    try:
        yield
    finally:
        _change(lambda mappings: _without(mappings, mapping))


def _change(change: Any) -> None:
    global _mappings  # noqa: PLW0603 - there is one resolver in a process
    with _lock:
        _mappings = change(_mappings)
        socket.getaddrinfo = _mapped_getaddrinfo if _mappings else _resolve


def _without(mappings: tuple[tuple[str, str], ...], gone: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    at = mappings.index(gone)
    return mappings[:at] + mappings[at + 1 :]


def _mapped_getaddrinfo(host: Any, *rest: Any, **named: Any) -> Any:
    return _resolve(_mapped(host), *rest, **named)


def _mapped(host: Any) -> Any:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if not isinstance(name, str):  # None asks for the machine itself
        return host
    name = name.lower().removesuffix(".")
    for pattern, address in _mappings:
        if name == pattern or (pattern.startswith("*.") and name.endswith(pattern[1:])):
            return address
    return host
