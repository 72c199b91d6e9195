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

    `address` may be the name of another host, which is resolved whenever it is used.

    Holds for every thread and for whatever asks `socket.getaddrinfo`: httpx, chromadb's client, http.client, asyncio.
    Mappings may overlap and end in any order; of two for one name the newer one counts.
    """
    mapping = (host.lower(), address)
    _change(lambda mappings: (mapping, *mappings))
    try:
        yield
    finally:
        _change(lambda mappings: _without(mappings, mapping))


def nameless(host: str, address: str | None) -> str:
    """Say why the name by which a host is reached has no address here, "" where it has one; `address` may be a name, too.

    Each call looks anew: a name that was missing may be published meanwhile.
    """
    name = address or host
    try:
        _resolve(_mapped(name), 443)
    except (OSError, UnicodeError) as error:
        return f"{name} has no address here ({getattr(error, 'strerror', None) or error})"
    return ""


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
    found = next((address for pattern, address in _mappings if _is_of(name, pattern)), None)
    if found is None:
        return host
    # The name of another host may be mapped in its turn; one below the same pattern is not, which would never end.
    return next((address for pattern, address in _mappings if pattern == found), found)


def _is_of(name: str, pattern: str) -> bool:
    return name == pattern or (pattern.startswith("*.") and name.endswith(pattern[1:]))
