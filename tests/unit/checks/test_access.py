"""What counts as refused, as let in, and as given away."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from pydantic import SecretStr

from support.checks.access import answers
from support.checks.access.doors import OpenPorts, assert_gateway_alone_is_open
from support.checks.access.requests import CREDENTIALS
from support.chroma.reachable import Credential
from support.network.http import Response

TOKEN = "Sesame-0123456789/+?"
CREDENTIAL = Credential(SecretStr(TOKEN))
BEAT = b'{"nanosecond heartbeat":1}'


def response(
    status: int, body: bytes = b"", headers: dict[str, str] | None = None
) -> dict[Any, list[Response]]:
    return {"pod": [Response("GET / through the pod", status, tuple((headers or {}).items()), body)]}


@pytest.mark.parametrize("status", [200, 201, 308, 400, 403, 404, 405, 500, 502])
def test_nothing_but_a_401_is_a_refusal(status: int) -> None:
    with pytest.raises(AssertionError, match=r"was let in, not refused with 401: GET / through the pod"):
        answers.assert_refused(response(status), ["pod"], 401)
    answers.assert_refused(response(401), ["pod"], 401)


@pytest.mark.parametrize(("status", "body"), [(401, b"[]"), (200, b"{}"), (302, b"[]")])
def test_only_a_list_means_let_in(status: int, body: bytes) -> None:
    with pytest.raises(AssertionError, match="was refused"):
        answers.assert_listed(response(status, body), ["pod"])
    answers.assert_listed(response(200, b"[]"), ["pod"])


def test_the_heartbeat_alone_is_open_only_if_it_is_open() -> None:
    answers.assert_heartbeat_alone({"pod": [*response(200, BEAT)["pod"], *response(401)["pod"]]}, ["pod"])
    with pytest.raises(AssertionError, match="the heartbeat is not open"):
        answers.assert_heartbeat_alone(response(401), ["pod"])
    with pytest.raises(AssertionError, match="was let in"):
        answers.assert_heartbeat_alone({"pod": [*response(200, BEAT)["pod"], *response(404)["pod"]]}, ["pod"])


@pytest.mark.parametrize("body", [b"[]", b'{"nanosecond heartbeat":1,"version":"1"}', b""])
def test_more_than_the_heartbeat_is_given_away(body: bytes) -> None:
    with pytest.raises(AssertionError, match="was given away"):
        answers.assert_no_more_than_heartbeat(response(200, body), ["pod"])
    answers.assert_no_more_than_heartbeat(response(404, body), ["pod"])
    answers.assert_no_more_than_heartbeat(response(200, BEAT), ["pod"])


@pytest.mark.parametrize(
    "form",
    [TOKEN, TOKEN.lower(), "Sesame-0123456789%2F%2B%3F", base64.b64encode(TOKEN.encode()).decode()],
    ids=["plain", "lower", "quoted", "base64"],
)
def test_the_token_is_found_in_bodies_and_headers_and_not_shown(form: str) -> None:
    for telling in (response(404, f"no {form} here".encode()), response(401, headers={"x": form})):
        with pytest.raises(AssertionError, match="comes back") as caught:
            answers.assert_token_unspoken(telling, SecretStr(TOKEN))
        assert form not in str(caught.value)
    answers.assert_token_unspoken(response(200, b"[]", {"x": "y"}), SecretStr(TOKEN))


@pytest.mark.parametrize(
    ("status", "location"),
    [
        (200, None),
        (308, None),
        (308, "http://host/path"),
        (308, "https://other/path"),
        (302, "https://host/path"),
    ],
)
def test_a_redirect_leads_to_the_same_address(status: int, location: str | None) -> None:
    seen = response(status, headers={"location": location} if location else {})["pod"][0]
    with pytest.raises(AssertionError, match="no redirect to https://host/path"):
        answers.assert_sent_to_https(seen, "host", "/path")
    answers.assert_sent_to_https(
        response(308, headers={"location": "https://host/path"})["pod"][0], "host", "/path"
    )


def test_no_two_credentials_show_the_same_and_one_alone_is_right() -> None:
    shown = [tuple(make(CREDENTIAL)) for make in CREDENTIALS.values()]
    assert len(set(shown)) == len(CREDENTIALS)
    assert shown.count((("X-Chroma-Token", TOKEN),)) == 1


@pytest.mark.parametrize("token", [TOKEN, "open-sesame-open-sesame", "close-sesame-close-sesame"])
def test_a_wrong_token_is_wrong_whatever_the_right_one_is(token: str) -> None:
    for name in ("with a wrong token", "with a wrong token as a bearer token"):
        assert token not in str(CREDENTIALS[name](Credential(SecretStr(token))))


def test_the_gateway_must_be_reached_for_chroma_to_count_as_out_of_reach() -> None:
    assert_gateway_alone_is_open(OpenPorts(gateway=None, chroma="connection refused"))
    with pytest.raises(AssertionError, match="the gateway cannot be reached: no route"):
        assert_gateway_alone_is_open(OpenPorts(gateway="no route", chroma="no route"))
    with pytest.raises(AssertionError, match="Chroma itself answered"):
        assert_gateway_alone_is_open(OpenPorts(gateway=None, chroma=None))
