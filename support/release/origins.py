"""Reads which web pages a release lets ask it, as Chroma's own variable says it."""

import json
import re
from typing import Final

# Chroma since 1.0.0 takes them from here; versions before it have a server in front of which no gateway is needed.
VARIABLE: Final = "CHROMA_CORS_ALLOW_ORIGINS"
# What a browser sends as Origin (RFC 6454): scheme, host and port without a path, in lower case.
_ORIGIN: Final = re.compile(r"\*|null|[a-z][a-z0-9+.-]*://[a-z0-9.\-\[\]:]+")


def parse(text: str) -> tuple[str, ...]:
    """Return the origins that a JSON list names; raises ValueError, which says what is wrong and what is wanted."""
    try:
        listed = json.loads(text)
    except ValueError:
        listed = None
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        raise ValueError(f"{VARIABLE} is not a list of origins; write '[\"https://app.example.com\"]'")
    wrong = [one for one in listed if not _ORIGIN.fullmatch(one)]
    if wrong:
        raise ValueError(
            f"{VARIABLE} names {', '.join(wrong)}, which no browser sends as its origin; write scheme, host and port in"
            ' lower case and nothing behind them, as in "https://app.example.com"'
        )
    return tuple(listed)
