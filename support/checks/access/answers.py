"""What counts as refused, as let in, and as given away."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from support.core.promises import PromiseBroken

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Sequence

    from pydantic import SecretStr

    from support.checks.access.requests import Responses
    from support.network.http import Response
    from support.network.way import WayName

_CHALLENGE: Final = "www-authenticate"
_BEAT: Final = "nanosecond heartbeat"


def assert_refused(responses: Responses, ways: Iterable[WayName], status: int) -> None:
    """Assert that everything asked on these ways was refused for want of the token, with the release's status for it."""
    _assert_all(
        lambda it: it.status == status,
        f"refused with {status}",
        f"was let in, not refused with {status}",
        responses,
        ways,
        let_in=True,
    )


def assert_header_named(responses: Responses, header: str) -> None:
    """Assert that each refusal names the header that is wanted, in its body and its challenge, and no other way."""
    challenges = [
        value
        for given in responses.values()
        for it in given
        for key, value in it.headers
        if key == _CHALLENGE
    ]
    refused = [it for given in responses.values() for it in given]
    unnamed = [str(it) for it in refused if header not in it.body.decode("utf-8", "replace")]
    assert not unnamed, _lines(f"the refusal does not name {header}", unnamed)
    assert len(challenges) == len(refused), (
        f"{len(refused)} refusals hold {len(challenges)} challenges: {challenges}"
    )
    misleading = [
        one for one in challenges if header not in one or one.lower().startswith(("bearer", "basic"))
    ]
    assert not misleading, _lines("the challenge asks for what is refused", misleading)


def assert_too_large(responses: Responses, ways: Iterable[WayName]) -> None:
    """Assert that everything sent on these ways was refused as too large by the release, which speaks JSON."""
    _assert_all(
        lambda it: it.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE and it.body.startswith(b"{"),
        "refused as too large",
        "was not answered that it is too large",
        responses,
        ways,
    )


def assert_page_may_ask(responses: Responses, ways: Iterable[WayName], origin: str) -> None:
    """Assert that a browser learned on these ways that a page of this origin may ask, with the token."""
    _assert_all(
        lambda it: (
            _is_success(it)
            and it.header("access-control-allow-origin") == origin
            and "POST" in (it.header("access-control-allow-methods") or "")
            and "x-chroma-token" in (it.header("access-control-allow-headers") or "").lower()
        ),
        "the page may ask",
        "was not answered that the page may ask",
        responses,
        ways,
    )


def assert_page_may_not_read(responses: Responses, ways: Iterable[WayName]) -> None:
    """Assert that no answer on these ways holds a header by which a browser would let a page read it."""
    _assert_all(
        lambda it: not any(key.startswith("access-control-") for key, _ in it.headers),
        "no page may read it",
        "lets the page read it",
        responses,
        ways,
    )


def assert_listed(responses: Responses, ways: Iterable[WayName]) -> None:
    """Assert that everything asked on these ways was answered with a list of collections."""
    _assert_all(_is_list, "the collections", "was refused", responses, ways)


def assert_no_more_than_heartbeat(responses: Responses, ways: Iterable[WayName]) -> None:
    """Assert that nothing asked on these ways was answered with anything but the heartbeat."""
    _assert_all(
        lambda it: not _is_success(it) or _is_heartbeat(it),
        "nothing but the heartbeat",
        "was given away",
        responses,
        ways,
        let_in=True,
    )


def assert_heartbeat_alone(responses: Responses, ways: Iterable[WayName]) -> None:
    """Assert that of all that was asked on these ways the heartbeat alone was answered, and the rest refused."""
    _assert_all(
        lambda it: _is_refused(it) or _is_heartbeat(it),
        "refused, but for the heartbeat",
        "was let in",
        responses,
        ways,
        let_in=True,
    )
    for way in ways:
        assert any(map(_is_heartbeat, responses[way])), f"the heartbeat is not open through the {way}"


def assert_heartbeat(response: Response) -> None:
    """Assert that an answer is the heartbeat."""
    if not _is_heartbeat(response):
        raise PromiseBroken("the heartbeat", f"no heartbeat: {response}", response.symptom)


def assert_open_alone(responses: Responses, ways: Iterable[WayName], paths: Container[str]) -> None:
    """Assert that nothing asked on these ways was answered well but at these paths."""
    _assert_all(
        lambda it: not _is_success(it) or it.path in paths,
        "nothing but the open paths",
        "was given away",
        responses,
        ways,
        let_in=True,
    )


def assert_token_unspoken(responses: Responses, token: SecretStr) -> None:
    """Assert that no answer repeats the token, neither plainly nor encoded."""
    plain = token.get_secret_value()
    forms = {form.lower() for form in (plain, quote(plain, safe=""), b64encode(plain.encode()).decode())}
    telling = [
        response.question
        for given in responses.values()
        for response in given
        if any(form in f"{response.headers} {response.body.decode('latin-1')}".lower() for form in forms)
    ]
    # Only what was asked is shown: the answers hold the token.
    assert not telling, _lines("the token comes back in the answer to", telling)


# 308 is what ingress controllers answer with, 301 the one of the two that every Gateway knows.
_FOR_GOOD: Final = (HTTPStatus.PERMANENT_REDIRECT, HTTPStatus.MOVED_PERMANENTLY)


def assert_sent_to_https(response: Response, host: str, path: str) -> None:
    """Assert that the caller was sent to the same path of the same host over https, and got nothing else."""
    goal = f"https://{host}{path}"
    seen = (response.status, response.header("location"))
    if seen not in [(status, goal) for status in _FOR_GOOD]:
        raise PromiseBroken(
            f"a redirect to {goal}", f"no redirect to {goal} but to {seen[1]}: {response}", response.symptom
        )
    assert not _is_heartbeat(response), f"served in clear: {response}"


def _assert_all(
    holds: Callable[[Response], bool],
    promised: str,
    fault: str,
    responses: Responses,
    ways: Iterable[WayName],
    *,
    let_in: bool = False,
) -> None:
    """Assert that something holds for every answer; with `let_in`, another one serves a caller who is to be refused."""
    broken = [response for way in ways for response in responses[way] if not holds(response)]
    if broken:
        # From inside the cluster an answer is known to be the release's; an ingress gives some of its own.
        telling = min(broken, key=lambda response: response.symptom.way == "ingress")
        symptom = replace((telling if let_in else broken[0]).symptom, let_in=let_in)
        raise PromiseBroken(promised, _lines(fault, [str(response) for response in broken]), symptom)


def _lines(title: str, lines: Sequence[str]) -> str:
    """Return a message whose first line says by itself what happened."""
    first, *others = lines
    more = f" (and {len(others)} more)" if others else ""
    return "\n  ".join((f"{title}{more}: {first}", *others))


def _is_refused(response: Response) -> bool:
    return response.status == HTTPStatus.UNAUTHORIZED


def _is_success(response: Response) -> bool:
    return HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES


def _is_list(response: Response) -> bool:
    return _is_success(response) and isinstance(response.json(), list)


def _is_heartbeat(response: Response) -> bool:
    return (
        _is_success(response)
        and response.body.startswith(f'{{"{_BEAT}":'.encode())
        and len(response.json()) == 1
    )
