"""An entry that a release renders to is what the platform's reader takes, in both forms, and the reader's rules hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from support.core.redaction import MARK, Redactor
from support.deploy.objects import ANNOUNCEMENT, waves
from support.kube.objects import key
from support.platform import discovery
from support.platform.code_server import home_beside
from support.platform.discovery import NotValidError
from support.release.catalogue import load
from support.release.place import Place
from support.release.render import render
from tests.samples import TLS, TOKEN, inventory, validate

if TYPE_CHECKING:
    from pathlib import Path

    from support.release.release import Discovery

Object = dict[str, Any]
PLACE = Place("chroma", "chroma.example.com")


def announced(directory: Path, form: Discovery, token: str = TOKEN) -> list[Object]:
    release = load("gateway").model_copy(update={"discovery": form})
    return render(release, inventory(directory, token), PLACE, TLS)


def entry(objects: list[Object]) -> Object:
    (found,) = [obj for obj in objects if key(obj) == ANNOUNCEMENT]
    return found


def spoiled(**changes: Any) -> Object:
    """Return a ConfigMap whose entry is valid but for these changes."""
    service = {
        "name": "some",
        "type": "core",
        "endpoints": [{"name": "api", "type": "http", "url": "http://x"}],
    }
    return configmap(yaml.safe_dump({"service": {**service, **changes}}))


def configmap(text: str) -> Object:
    return {"metadata": {"name": "some", "namespace": "there"}, "data": {"service.yaml": text}}


@pytest.mark.parametrize("form", ["safe", "documented"])
def test_both_forms_are_valid_entries(tmp_path: Path, form: Discovery) -> None:
    objects = announced(tmp_path, form)
    validate(objects)
    read = discovery.read(entry(objects))
    assert discovery.SELECTOR.items() <= read.labels.items()
    primary = read.service.primary()
    assert primary
    assert primary.health_url == "https://chroma.example.com/api/v2/heartbeat"


def test_the_safe_form_is_what_people_get() -> None:
    assert load("gateway").discovery == "safe"


def test_the_safe_form_names_the_secret(tmp_path: Path) -> None:
    objects = announced(tmp_path, "safe")
    assert TOKEN not in str(entry(objects))
    (token,) = [one for one in discovery.read(entry(objects)).service.environment_variables if one.value_from]
    assert token.name == "CHROMA_AUTH_TOKEN"
    assert token.value is None
    assert token.value_from == discovery.SecretKey(secret="chroma-auth", key="auth-token")


@settings(max_examples=10, deadline=None)
@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=14, max_size=40))
def test_the_documented_form_gives_any_token_as_it_is(
    tmp_path_factory: pytest.TempPathFactory, inside: str
) -> None:
    token = f"<{inside}>"  # a token has no blank at its ends
    objects = announced(tmp_path_factory.getbasetemp(), "documented", token)
    (read,) = discovery.read(entry(objects)).service.environment_variables[1:]
    assert read.value == token


def test_the_token_of_an_entry_is_redacted_where_that_is_shown(tmp_path: Path) -> None:
    token = """it's-"so"-\\n-<&>"""
    redactor = Redactor()
    redactor.learn(SecretStr(token))
    shown = yaml.safe_dump(entry(announced(tmp_path, "documented", token)))
    assert MARK in redactor.text(shown)


def test_an_entry_is_applied_last(tmp_path: Path) -> None:
    wave = waves(announced(tmp_path, "safe"))
    assert [key(obj) for obj in wave.announcements] == [ANNOUNCEMENT]
    assert ANNOUNCEMENT not in map(key, wave.prerequisites)


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        ({"type": "component"}, "type: Input should be 'core', 'optional' or 'user_app'"),
        ({"name": "Chroma"}, "name: String should match pattern"),
        ({"name": "9chroma"}, "name: String should match pattern"),
        ({"name": "c" * 256}, "name: String should have at most 255"),
        ({"endpoints": [{"name": "api", "type": "https", "url": "x"}]}, "endpoints.0.type: Input should be"),
        (
            {"endpoints": [{"name": "a", "type": "tcp", "url": "x", "health_url": "h" * 501}]},
            "endpoints.0.health_url: String should have at most 500",
        ),
        ({"scaling": {"resource_type": "job"}}, "scaling.resource_type: Input should be"),
    ],
)
def test_an_entry_against_the_rules_is_refused(changes: Object, problems: str) -> None:
    with pytest.raises(NotValidError, match=problems):
        discovery.read(spoiled(**changes))


@pytest.mark.parametrize(
    ("changes"),
    [
        {"type": "user_app"},
        {"name": "c" * 255},
        {"endpoints": [{"name": "a", "type": "docker-registry", "url": "x", "health_url": "h" * 500}]},
        {"scaling": {"resource_type": "daemonset", "anything": 1}},
        {"something_new": True},
        {"endpoints": []},
    ],
)
def test_an_entry_within_the_rules_is_taken(changes: Object) -> None:
    discovery.read(spoiled(**changes))


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("", "no top key service"),
        ("[]", "no top key service"),
        ("services: {}", "no top key service"),
        ("a: [", "is not YAML"),
    ],
)
def test_what_is_no_entry_is_refused(text: str, problems: str) -> None:
    with pytest.raises(NotValidError, match=problems):
        discovery.read(configmap(text))


def test_what_is_no_entry_hides_no_other() -> None:
    no_entry = {"metadata": {"name": "more", "namespace": "there"}}
    found = discovery.entries([no_entry, configmap("a: ["), spoiled()])
    assert [one.service.name for one in found] == ["some"]


def test_no_value_is_shown_of_an_entry_that_is_refused() -> None:
    with pytest.raises(NotValidError) as raised:
        discovery.read(spoiled(environment_variables=[{"name": ["x"], "value": TOKEN}]))
    assert TOKEN not in str(raised.value)
    assert TOKEN not in repr(discovery.read(spoiled(environment_variables=[{"name": "X", "value": TOKEN}])))


@pytest.mark.parametrize("status", [200, 204, 301, 399, 401, 403])
def test_what_answers_or_asks_for_a_token_is_healthy(status: int) -> None:
    assert discovery.is_healthy(status)


@pytest.mark.parametrize("status", [199, 400, 402, 404, 410, 500, 503])
def test_whatever_else_is_ill(status: int) -> None:
    assert not discovery.is_healthy(status)


def test_only_the_documented_place_has_the_platforms_code_server_beside_it() -> None:
    assert home_beside("chroma") == "code-server"
    assert home_beside("chroma-gw1") == "code-server-gw1"
    assert home_beside("chroma-0852c27b-1") == "code-server-0852c27b-1"
