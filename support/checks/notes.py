"""Holds what is shown of a live release against the release itself."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from support.chroma.outcomes import Outcome, expect, outcome
from support.core.component import COLLECTION, DEFAULT_DATABASE, TENANT
from support.core.promises import PromiseBroken
from support.core.wait import kept
from support.network import http
from support.network.way import Way, ingress, tls_context

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from support.commands.notes import Example, Notes
    from support.deploy.live import Live
    from support.network.vantage import Vantage

# All that Chroma ever had.
_INTERFACES: Final = ("v1", "v2")
_COLLECTIONS: Final = f"/api/v2/tenants/{TENANT}/databases/{DEFAULT_DATABASE}/collections"


def assert_addresses_answer(live: Live, notes: Notes, vantage: Vantage) -> None:
    """Assert that a release gives its collections to everybody who shows the token, at each address that is shown."""
    outside, inside = urlsplit(notes.outside), urlsplit(notes.inside)
    host, port = vantage.tunnel(str(inside.hostname), inside.port or 80).address
    ways = (
        ingress(str(outside.hostname), live.inventory),
        Way("service", f"http://{host}:{port}", tls_context(None)),
    )
    for way in ways:
        expect(Outcome.ACCEPTED, http.ask(way, "GET", _COLLECTIONS, _token(live, notes)))


def assert_interfaces_answer(live: Live, notes: Notes) -> None:
    """Assert that the versions of the interface that are shown answer, and no others."""
    way = ingress(live.host, live.inventory)
    responses = {
        one: http.ask(way, "GET", f"/api/{one}/heartbeat", _token(live, notes)) for one in _INTERFACES
    }
    answering = {one for one, response in responses.items() if outcome(response) is Outcome.ACCEPTED}
    assert answering == set(notes.interfaces), (
        f"promised: the versions of the interface are {', '.join(notes.interfaces)}\n"
        f"seen:     {'; '.join(map(str, responses.values()))}"
    )


def assert_token_is_not_shown(live: Live, notes: Notes) -> None:
    """Assert that the token stands nowhere in what is shown."""
    assert live.token.get_secret_value() not in "\n".join(notes.lines()), "the token itself is shown"


def assert_secret_holds_token(live: Live, notes: Notes) -> None:
    """Assert that the Secret that is shown holds the token that opens the release."""
    namespace, name, key = notes.secret
    secret = live.kube.get("Secret", name, namespace)
    held = base64.b64decode((secret or {}).get("data", {}).get(key, ""))
    assert held.decode("utf-8", "replace") == live.token.get_secret_value(), (
        f"promised: Secret {namespace}/{name} holds the token under {key}\n"
        f"seen:     {'another value' if held else 'nothing'} there"
    )


def assert_nothing_is_left(live: Live, notes: Notes) -> None:
    """Assert that the collection of the examples is gone."""
    way = ingress(live.host, live.inventory)
    listed = expect(Outcome.ACCEPTED, http.ask(way, "GET", _COLLECTIONS, _token(live, notes))).json()
    names = [one["name"] for one in listed]
    if COLLECTION in names:
        raise PromiseBroken(f"{COLLECTION} is gone", f"the collections {names}")


def _token(live: Live, notes: Notes) -> list[tuple[str, str]]:
    return [(notes.header, live.token.get_secret_value())]


_ROOT: Final = Path(__file__).parents[2]


# Each reads its program from standard input.
LANGUAGES: Final[Mapping[str, Sequence[str]]] = {
    "bash": ("bash", "--noprofile", "--norc", "-s"),
    "Python": (sys.executable, "-"),
}


# What a new Python does before anything else; the name is Python's.
_CUSTOMIZE: Final = "sitecustomize.py"


_MAP_HOST: Final = """\
from support.core.resolver import map_host
mapping = map_host({host!r}, {address!r})
mapping.__enter__()
"""


@dataclass(frozen=True)
class ExampleRun:
    """What became of a pasted example."""

    example: Example
    code: int
    out: str
    err: str


def run_example(live: Live, example: Example) -> ExampleRun:
    """Run an example's text in a process of its own, with the token in its environment.

    Where the inventory names an authority, curl takes it from its own file, Python in its environment; that also tells
    Python the address, which the example tells curl itself.
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
    return ExampleRun(example, done.returncode, done.stdout, done.stderr)


def assert_answered(example_run: ExampleRun) -> None:
    """Assert that an example came to its end without a word of complaint, and printed what it shows."""
    assert example_run.code == 0 and example_run.example.answer in example_run.out and not example_run.err, (  # noqa: PT018 - one promise
        f"promised: the example in {example_run.example.language} prints {example_run.example.answer!r}\n"
        f"seen:     exit code {example_run.code}: {example_run.out}{example_run.err}"
    )


def _environ(live: Live, home: Path) -> dict[str, str]:
    host, address, bundle = live.host, live.inventory.ingress_address, live.inventory.ca_bundle
    curl = []
    if address:
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
