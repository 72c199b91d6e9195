"""What is shown of a release is whole, and nothing of it is secret."""

from __future__ import annotations

import subprocess
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from support.checks.notes import LANGUAGES, ExampleRun, assert_answered, run_example
from support.commands import carry_out
from support.commands.notes import Notes, notes_of
from support.deploy.results import NotLive
from support.release.catalogue import load

if TYPE_CHECKING:
    from support.commands.notes import Example

TOKEN = "open-sesame-open-sesame"


def _live(release: str) -> Any:
    return SimpleNamespace(
        release=load(release),
        namespace="chroma-gw1",
        host="chroma-gw1.example.com",
        inventory=SimpleNamespace(
            ingress_address=None, ca_bundle=None, inside="{}.{}.svc.cluster.local".format
        ),
        token=SecretStr(TOKEN),
    )


@pytest.fixture
def notes() -> Notes:
    return notes_of(_live("gateway"))


def test_the_addresses_are_those_of_the_place(notes: Notes) -> None:
    assert notes.outside == "https://chroma-gw1.example.com"
    assert notes.inside == "http://chromadb-svc.chroma-gw1.svc.cluster.local"


@pytest.mark.parametrize(("release", "interfaces"), [("gateway", ("v2",)), ("native", ("v1", "v2"))])
def test_the_interfaces_are_those_of_the_version(release: str, interfaces: tuple[str, ...]) -> None:
    assert notes_of(_live(release)).interfaces == interfaces


def test_the_notes_of_the_live_release_are_shown_on_request(notes: Notes) -> None:
    said: list[str] = []
    namespace = SimpleNamespace(prove_live=lambda **_: _live("gateway"))
    call: Any = SimpleNamespace(namespace=namespace, say=said.append)
    assert carry_out("notes", call) == 0
    assert said == list(notes.lines())


def test_without_a_live_release_there_are_no_notes() -> None:
    def prove_live(**_: bool) -> None:
        raise NotLive("its pod is not ready", load("gateway"))

    said: list[str] = []
    call: Any = SimpleNamespace(namespace=SimpleNamespace(prove_live=prove_live), say=said.append)
    assert carry_out("notes", call) == 1
    assert said == ['error: release "gateway" is not live: its pod is not ready']


def test_there_is_an_example_in_each_language(notes: Notes) -> None:
    assert {example.language for example in notes.examples} == set(LANGUAGES)


def test_the_examples_stand_flush_left_among_what_is_told(notes: Notes) -> None:
    told = "\n".join(notes.lines())
    assert all(f"\n{example.text}" in told for example in notes.examples)


def test_the_token_is_told_nowhere(notes: Notes) -> None:
    assert TOKEN not in "\n".join(notes.lines())


def test_python_understands_its_example(notes: Notes) -> None:
    compile(notes.example("Python").text, "example", "exec")


def test_bash_understands_its_example(notes: Notes) -> None:
    subprocess.run(["bash", "-n"], input=notes.example("bash").text, text=True, check=True)


def test_what_is_pasted_has_the_token_in_its_environment(notes: Notes) -> None:
    example = _replaced(notes, 'printf %s "$ADMIN_PASSWORD"')
    assert run_example(_live("gateway"), example).out == TOKEN


@pytest.mark.parametrize(
    ("code", "out", "err"),
    [(1, "Ferns unfold in the shade.", ""), (0, "Owls", ""), (0, "Ferns unfold in the shade.", "warning")],
)
def test_an_example_that_did_not_work_is_told(notes: Notes, code: int, out: str, err: str) -> None:
    with pytest.raises(
        AssertionError, match=f"promised: the example in bash prints .*\nseen: +exit code {code}"
    ):
        assert_answered(ExampleRun(notes.example("bash"), code, out, err))


def _replaced(notes: Notes, text: str) -> Example:
    example = notes.example("bash")
    return type(example)(example.language, text, example.answer)


@pytest.mark.parametrize(
    ("address", "option"),
    [
        (None, "curl --silent"),
        ("192.0.2.10", "curl --resolve chroma-gw1.example.com:443:192.0.2.10 --silent"),
        ("2001:db8::1", "curl --resolve chroma-gw1.example.com:443:[2001:db8::1] --silent"),
        ("lb.example.net", "curl --connect-to chroma-gw1.example.com:443:lb.example.net:443 --silent"),
    ],
)
def test_curl_is_told_where_a_host_is_that_dns_does_not_name(address: str | None, option: str) -> None:
    live = _live("gateway")
    live.inventory.ingress_address = address
    assert option in notes_of(live).example("bash").text
