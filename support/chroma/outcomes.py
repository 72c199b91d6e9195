"""Says in words what became of a question."""

from enum import StrEnum
from typing import Final

from support.core.promises import PromiseBroken
from support.network.http import Response


class Outcome(StrEnum):
    """What a release does with a question; the words are those of the features."""

    ACCEPTED = "accepted"
    INVALID = "invalid"
    MALFORMED = "malformed"
    UNKNOWN = "unknown"
    TAKEN = "taken"
    TOO_LARGE = "too large"
    NOT_LET_IN = "not let in"
    FAILED = "failed"


# Measured on Chroma 1.5.9: a question of the right shape that makes no sense is 400, one of the wrong shape 422.
_BY_STATUS: Final = {
    200: Outcome.ACCEPTED,
    201: Outcome.ACCEPTED,
    400: Outcome.INVALID,
    401: Outcome.NOT_LET_IN,
    403: Outcome.NOT_LET_IN,
    404: Outcome.UNKNOWN,
    409: Outcome.TAKEN,
    413: Outcome.TOO_LARGE,
    422: Outcome.MALFORMED,
}

# Before 1.0 a collection that is not there is a 400, which differs from others by its name alone (measured on 0.5.23).
_BY_ERROR: Final = {"InvalidCollection": Outcome.UNKNOWN}


def outcome(response: Response) -> Outcome:
    """Name what became of a question; whatever no release may answer is a failure."""
    return _BY_ERROR.get(_error(response)) or _BY_STATUS.get(response.status, Outcome.FAILED)


def _error(response: Response) -> str:
    """Return the name that a refusal gives itself, "" where it has none."""
    if response.status < 400:
        return ""
    try:
        said = response.json()
    except ValueError:
        return ""
    return str(said.get("error")) if isinstance(said, dict) else ""


def expect(promised: Outcome, response: Response) -> Response:
    """Return the reply if it is what was promised; else raise an `AssertionError` that shows both."""
    seen = outcome(response)
    if seen is not promised:
        raise PromiseBroken(promised, f"{seen}: {response}", response.symptom)
    return response
