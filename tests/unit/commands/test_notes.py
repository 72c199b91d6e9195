"""What is shown of a release is whole, and nothing of it is secret."""

from __future__ import annotations

import subprocess
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from support.checks.notes import LANGUAGES, Pasted, assert_answered, paste
from support.commands.notes import Display, display
from support.release.release import Release

if TYPE_CHECKING:
    from support.commands.notes import Example

TOKEN = "open-sesame-open-sesame"


def _live(release: str) -> Any:
    return SimpleNamespace(
        release=Release.named(release),
        namespace="chroma-gw1",
        host="chroma-gw1.example.com",
        inventory=SimpleNamespace(ingress_address=None, ca_bundle=None),
        token=SecretStr(TOKEN),
    )


@pytest.fixture
def shown() -> Display:
    return display(_live("gateway"))


def test_the_addresses_are_those_of_the_place(shown: Display) -> None:
    assert shown.outside == "https://chroma-gw1.example.com"
    assert shown.inside == "http://chromadb-svc.chroma-gw1.svc.cluster.local"


@pytest.mark.parametrize(("release", "interfaces"), [("gateway", ("v2",)), ("native", ("v1", "v2"))])
def test_the_interfaces_are_those_of_the_version(release: str, interfaces: tuple[str, ...]) -> None:
    assert display(_live(release)).interfaces == interfaces


def test_there_is_an_example_in_each_language(shown: Display) -> None:
    assert {example.language for example in shown.examples} == set(LANGUAGES)


def test_the_examples_stand_flush_left_among_what_is_told(shown: Display) -> None:
    told = "\n".join(shown.lines())
    assert all(f"\n{example.text}" in told for example in shown.examples)


def test_the_token_is_told_nowhere(shown: Display) -> None:
    assert TOKEN not in "\n".join(shown.lines())


def test_python_understands_its_example(shown: Display) -> None:
    compile(shown.example("Python").text, "example", "exec")


def test_bash_understands_its_example(shown: Display) -> None:
    subprocess.run(["bash", "-n"], input=shown.example("bash").text, text=True, check=True)


def test_what_is_pasted_has_the_token_in_its_environment(shown: Display) -> None:
    example = _replaced(shown, 'printf %s "$ADMIN_PASSWORD"')
    assert paste(_live("gateway"), example).out == TOKEN


@pytest.mark.parametrize(
    ("code", "out", "err"),
    [(1, "Ferns unfold in the shade.", ""), (0, "Owls", ""), (0, "Ferns unfold in the shade.", "warning")],
)
def test_an_example_that_did_not_work_is_told(shown: Display, code: int, out: str, err: str) -> None:
    with pytest.raises(
        AssertionError, match=f"promised: the example in bash prints .*\nseen: +exit code {code}"
    ):
        assert_answered(Pasted(shown.example("bash"), code, out, err))


def _replaced(shown: Display, text: str) -> Example:
    example = shown.example("bash")
    return type(example)(example.language, text, example.answer)
