"""Pastes an example where its language is spoken, as it stands; only the environment knows how the host is reached."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from support.wait import kept

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from support.display import Example
    from support.namespace import Live

_ROOT: Final = Path(__file__).parent.parent
# Each reads its program from standard input.
LANGUAGES: Final[Mapping[str, Sequence[str]]] = {
    "bash": ("bash", "--noprofile", "--norc", "-s"),
    "Python": (sys.executable, "-"),
}
# What a new Python does before anything else; the name is Python's.
_CUSTOMIZE: Final = "sitecustomize.py"
_MAP_HOST: Final = """\
from support.names import map_host
mapping = map_host({host!r}, {address!r})
mapping.__enter__()
"""


@dataclass(frozen=True)
class Pasted:
    """What became of a pasted example."""

    example: Example
    code: int
    out: str
    err: str


def paste(live: Live, example: Example) -> Pasted:
    """Run an example's text in a process of its own, with the token in its environment.

    Where the inventory names an address or an authority, curl is told them in its own file, Python in its environment.
    """
    with TemporaryDirectory() as home:
        environ = _environ(live, Path(home))
        done = subprocess.run(
            LANGUAGES[example.language],
            input=example.text,
            env=environ,
            cwd=home,
            capture_output=True,
            text=True,
            timeout=kept().call,
            check=False,
        )
    return Pasted(example, done.returncode, done.stdout, done.stderr)


def assert_answered(pasted: Pasted) -> None:
    """Assert that an example came to its end without a word of complaint, and printed what it shows."""
    assert pasted.code == 0 and pasted.example.answer in pasted.out and not pasted.err, (  # noqa: PT018 - one promise
        f"promised: the example in {pasted.example.language} prints {pasted.example.answer!r}\n"
        f"seen:     exit code {pasted.code}: {pasted.out}{pasted.err}"
    )


def _environ(live: Live, home: Path) -> dict[str, str]:
    host, address, bundle = live.host, live.inventory.ingress_address, live.inventory.ca_bundle
    curl = []
    if address:
        # Unlike `resolve` this takes the name of another host as well.
        curl.append(f"connect-to = {host}:443:{_bracketed(address)}:443")
        customize = _MAP_HOST.format(host=host, address=address)
        (home / _CUSTOMIZE).write_text(customize, encoding="utf-8")
    if bundle:
        curl.append(f"cacert = {bundle}")
    (home / ".curlrc").write_text("\n".join(curl), encoding="utf-8")
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "PYTHONPATH": f"{home}{os.pathsep}{_ROOT}",
        "ADMIN_PASSWORD": live.token.get_secret_value(),
        **({"SSL_CERT_FILE": str(bundle)} if bundle else {}),
    }


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address
