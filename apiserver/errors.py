"""What can be wrong with the way to an API server."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# The other side ended the connection: it may be starting anew. Every other error of TLS stays what it is.
_ENDED = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class UnusableError(Exception):
    """A kubeconfig leads nowhere, or asks for what is not supported; the text says what, in one line."""


class NoAnswerError(Exception):
    """The API server was not reached; the text says why. `lasting`: no waiting changes that."""

    def __init__(self, why: str, *, lasting: bool = False) -> None:
        super().__init__(" ".join(why.split()))
        self.lasting = lasting


def explained(error: Exception) -> NoAnswerError:
    """Return why there was no answer, in a line: the clients' own texts are pages, or name their connections."""
    chain = list(_causes(error))
    for each in chain:
        if isinstance(each, NoAnswerError):
            return each
        if isinstance(each, ssl.SSLCertVerificationError):
            return NoAnswerError(f"its certificate is not believed: {each.verify_message}", lasting=True)
        if isinstance(each, ssl.SSLError) and not isinstance(each, _ENDED):
            return NoAnswerError(f"TLS fails: {getattr(each, 'reason', None) or each}", lasting=True)
    root = root_of(error)
    if isinstance(root, socket.gaierror):
        return NoAnswerError(f"its name has no address here ({root.strerror})")
    if isinstance(root, TimeoutError):
        return NoAnswerError("it does not answer in time")
    text = root.strerror if isinstance(root, OSError) and root.strerror else str(root)
    return NoAnswerError(text.rpartition("): ")[2] or type(root).__name__)


def root_of(error: Exception) -> Exception:
    """Return the system's error behind that of a client, which is told by its class; without one the first cause."""
    chain = list(_causes(error))
    found = next((each for each in reversed(chain) if isinstance(each, OSError)), chain[-1])
    return found if isinstance(found, Exception) else error


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what caused it; urllib3 keeps that in a field or among the arguments."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        inner = [getattr(error, "reason", None), *error.args, error.__cause__, error.__context__]
        error = next((one for one in inner if isinstance(one, BaseException)), None)
