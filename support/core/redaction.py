"""Keeps the run's secrets out of everything that leaves it: reports, evidence, the terminal."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import urllib.parse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TextIO, cast

from pydantic import SecretStr

if TYPE_CHECKING:
    from collections.abc import Iterator

MARK: Final = "[redacted]"

# A private key may come from anywhere, and needs no one to name it.
_PRIVATE_KEY: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL
)
# Anything shorter would redact ordinary words; the platform takes no shorter password either (docs/gateway.md#tokens).
_SHORTEST: Final = 6


class Redactor:
    """Replaces the secrets it has learnt, in every form in which they travel.

    Those are: as they are; escaped for JSON, a URL or a Python literal; in base64 of any alphabet and alignment, so also inside of
    a longer encoded text; and as the SHA-256 by which the gateway knows them.
    """

    def __init__(self) -> None:
        self._forms: set[str] = set()
        self._pattern = _PRIVATE_KEY

    def learn(self, secret: str | SecretStr) -> None:
        """Take a secret into account from now on; an empty or very short one is no secret."""
        text = secret.get_secret_value() if isinstance(secret, SecretStr) else secret
        if len(text) < _SHORTEST:
            return
        self._forms |= {form for form in _forms(text) if len(form) >= _SHORTEST}
        # The longest first, so that no rest of a longer form is left standing.
        longest_first = sorted(self._forms, key=len, reverse=True)
        self._pattern = re.compile(
            "|".join([*map(re.escape, longest_first), _PRIVATE_KEY.pattern]), re.DOTALL
        )

    def text(self, text: str) -> str:
        """Return the text without the secrets."""
        return self._pattern.sub(MARK, text)

    def plain(self, data: Any) -> Any:
        """Return plain data (of dictionaries, lists, tuples and strings) without the secrets."""
        if isinstance(data, str):
            return self.text(data)
        if isinstance(data, Mapping):
            return {self.plain(key): self.plain(value) for key, value in data.items()}
        if isinstance(data, list | tuple):
            return type(data)(self.plain(one) for one in data)
        return data


def redacted_file(file: TextIO, redactor: Redactor) -> TextIO:
    """Return the file as one that lets no secret through, unless it is written in pieces."""
    return cast("TextIO", _RedactedFile(file, redactor))


class _RedactedFile:
    def __init__(self, file: TextIO, redactor: Redactor) -> None:
        self._file = file
        self._redactor = redactor

    def write(self, text: str) -> int:
        return self._file.write(self._redactor.text(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _forms(text: str) -> Iterator[str]:
    yield text
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    # As it stands in a document that stands in another one.
    yield json.dumps(json.dumps(text)[1:-1])[1:-1]
    yield repr(text)[1:-1]
    yield urllib.parse.quote(text)
    yield urllib.parse.quote(text, safe="")
    yield urllib.parse.quote_plus(text)
    raw = text.encode()
    yield hashlib.sha256(raw).hexdigest()
    for lead in range(3):
        # Of three possible alignments; characters that also depend on the neighbouring bytes are left out.
        encoded = base64.b64encode(bytes(lead) + raw)
        first = (lead * 8 + 5) // 6
        last = (lead + len(raw)) * 8 // 6
        inner = encoded[first:last].decode()
        yield inner
        yield inner.replace("+", "-").replace("/", "_")
