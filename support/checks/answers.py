"""What counts as refused, as let in, and as given away."""

from __future__ import annotations

from base64 import b64encode
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Sequence

    from pydantic import SecretStr

    from support.checks.access import Replies
    from support.network.http import Reply
    from support.network.way import WayName

_CHALLENGE: Final = "www-authenticate"
_BEAT: Final = "nanosecond heartbeat"


def assert_refused(replies: Replies, ways: Iterable[WayName], status: int) -> None:
    """Assert that everything asked on these ways was refused for want of the token, with the release's status for it."""
    _assert_all(lambda it: it.status == status, f"was let in, not refused with {status}", replies, ways)


def assert_header_named(replies: Replies, header: str) -> None:
    """Assert that each refusal names the header that is wanted, in its body and its challenge, and no other way."""
    challenges = [
        value for given in replies.values() for it in given for key, value in it.headers if key == _CHALLENGE
    ]
    refused = [it for given in replies.values() for it in given]
    unnamed = [str(it) for it in refused if header not in it.body.decode("utf-8", "replace")]
    assert not unnamed, _lines(f"the refusal does not name {header}", unnamed)
    assert len(challenges) == len(refused), (
        f"{len(refused)} refusals hold {len(challenges)} challenges: {challenges}"
    )
    misleading = [
        one for one in challenges if header not in one or one.lower().startswith(("bearer", "basic"))
    ]
    assert not misleading, _lines("the challenge asks for what is refused", misleading)


def assert_too_large(replies: Replies, ways: Iterable[WayName]) -> None:
    """Assert that everything sent on these ways was refused as too large by the release, which speaks JSON."""
    _assert_all(
        lambda it: it.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE and it.body.startswith(b"{"),
        "was not told that it is too large",
        replies,
        ways,
    )


def assert_page_may_ask(replies: Replies, ways: Iterable[WayName], origin: str) -> None:
    """Assert that a browser was told on these ways that a page of this origin may ask, with the token."""
    _assert_all(
        lambda it: (
            _is_success(it)
            and it.header("access-control-allow-origin") == origin
            and "POST" in (it.header("access-control-allow-methods") or "")
            and "x-chroma-token" in (it.header("access-control-allow-headers") or "").lower()
        ),
        "was not told that the page may ask",
        replies,
        ways,
    )


def assert_page_may_not_read(replies: Replies, ways: Iterable[WayName]) -> None:
    """Assert that no answer on these ways holds a header by which a browser would let a page read it."""
    _assert_all(
        lambda it: not any(key.startswith("access-control-") for key, _ in it.headers),
        "lets the page read it",
        replies,
        ways,
    )


def assert_listed(replies: Replies, ways: Iterable[WayName]) -> None:
    """Assert that everything asked on these ways was answered with a list of collections."""
    _assert_all(_is_list, "was refused", replies, ways)


def assert_no_more_than_heartbeat(replies: Replies, ways: Iterable[WayName]) -> None:
    """Assert that nothing asked on these ways was answered with anything but the heartbeat."""
    _assert_all(lambda it: not _is_success(it) or _is_heartbeat(it), "was given away", replies, ways)


def assert_heartbeat_alone(replies: Replies, ways: Iterable[WayName]) -> None:
    """Assert that of all that was asked on these ways the heartbeat alone was answered, and the rest refused."""
    _assert_all(lambda it: _is_refused(it) or _is_heartbeat(it), "was let in", replies, ways)
    for way in ways:
        assert any(map(_is_heartbeat, replies[way])), f"the heartbeat is not open through the {way}"


def assert_heartbeat(reply: Reply) -> None:
    """Assert that an answer is the heartbeat."""
    assert _is_heartbeat(reply), f"no heartbeat: {reply}"


def assert_open_alone(replies: Replies, ways: Iterable[WayName], paths: Container[str]) -> None:
    """Assert that nothing asked on these ways was answered well but at these paths."""
    _assert_all(lambda it: not _is_success(it) or it.path in paths, "was given away", replies, ways)


def assert_token_unspoken(replies: Replies, token: SecretStr) -> None:
    """Assert that no answer repeats the token, neither plainly nor encoded."""
    plain = token.get_secret_value()
    forms = {form.lower() for form in (plain, quote(plain, safe=""), b64encode(plain.encode()).decode())}
    telling = [
        reply.question
        for given in replies.values()
        for reply in given
        if any(form in f"{reply.headers} {reply.body.decode('latin-1')}".lower() for form in forms)
    ]
    # Only what was asked is shown: the answers hold the token.
    assert not telling, _lines("the token comes back in the answer to", telling)


def assert_sent_to_https(reply: Reply, host: str, path: str) -> None:
    """Assert that the caller was sent to the same path of the same host over https, and got nothing else."""
    goal = f"https://{host}{path}"
    seen = (reply.status, reply.header("location"))
    assert seen == (HTTPStatus.PERMANENT_REDIRECT, goal), f"no redirect to {goal} but to {seen[1]}: {reply}"
    assert not _is_heartbeat(reply), f"served in clear: {reply}"


def _assert_all(
    promise: Callable[[Reply], bool], fault: str, replies: Replies, ways: Iterable[WayName]
) -> None:
    broken = [str(reply) for way in ways for reply in replies[way] if not promise(reply)]
    assert not broken, _lines(fault, broken)


def _lines(title: str, lines: Sequence[str]) -> str:
    """Return a message whose first line says by itself what happened."""
    first, *others = lines
    more = f" (and {len(others)} more)" if others else ""
    return "\n  ".join((f"{title}{more}: {first}", *others))


def _is_refused(reply: Reply) -> bool:
    return reply.status == HTTPStatus.UNAUTHORIZED


def _is_success(reply: Reply) -> bool:
    return HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES


def _is_list(reply: Reply) -> bool:
    return _is_success(reply) and isinstance(reply.json(), list)


def _is_heartbeat(reply: Reply) -> bool:
    return _is_success(reply) and reply.body.startswith(f'{{"{_BEAT}":'.encode()) and len(reply.json()) == 1
