"""What an API server says when it refuses, and that nobody answered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from apiserver.errors import explained
from support.core.errors import SuiteError

if TYPE_CHECKING:
    from support.kube.objects import Object

# HTTP statuses by which nobody is let in as whom he says he is: by the API server, or by a proxy on the way.
_LASTING: Final = {401, 407}
# By which a websocket is refused for good: forbidden, or no server that knows of upgrades; 400 with these words is one, too.
_NO_UPGRADE: Final = {200, 204, 301, 302, 303, 307, 308, 403, 405, 426, 501}
_NO_UPGRADE_WORDS: Final = ("upgrade request required", "unable to upgrade")

UNANSWERED: Final = "Unanswered"


class ApiError(SuiteError):
    """The API server refused a request.

    `status` is the HTTP status (0: it never came to an answer), `reason` the API's one-word reason
    ("Forbidden", "Invalid", "Conflict", …), `message` its full sentence. `lasting`: no waiting changes it. `stated` is the
    object that was to be applied, where it was refused.
    """

    stated: Object | None = None

    def __init__(self, status: int, reason: str, message: str, *, lasting: bool = False) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        self.reason = reason
        self.message = message
        self.lasting = lasting or status in _LASTING

    @property
    def unanswered(self) -> bool:
        """Whether nobody answered: that is a failure of the cluster, and says nothing of an object."""
        return not self.status and self.reason == UNANSWERED


def understood(body: bytes, asked: str) -> Object:
    """Return the object that an answer holds; what holds none was not said by an API server."""
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise ApiError(0, UNANSWERED, f"{asked} is answered by no API server: {excerpt(body)}")
    return answer


def excerpt(body: bytes) -> str:
    """Return the beginning of an answer, in one line."""
    return " ".join(body[:200].decode("utf-8", "replace").split()) or "an empty body"


def refused(status: int, body: bytes) -> ApiError:
    """Return the error for an answer with a status of refusal, as far as its body is an API server's."""
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        answer = {"message": excerpt(body)}
    return ApiError(status, str(answer.get("reason") or ""), str(answer.get("message") or ""))


def is_no_upgrade(error: ApiError) -> bool:
    """Whether a websocket is refused for good, by the server or by a proxy on the way."""
    words = error.message.lower()
    return (
        error.lasting
        or error.status in _NO_UPGRADE
        or (error.status == 400 and any(each in words for each in _NO_UPGRADE_WORDS))
    )


def unanswered(error: Exception, what: str) -> ApiError:
    """Return the error for a request to which nobody has answered."""
    why = explained(error)
    return ApiError(0, UNANSWERED, f"{what}: {why}", lasting=why.lasting)
