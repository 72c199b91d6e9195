"""A certificate is judged as a careful client judges it, and a copy that lags behind is told."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from trustme import CA

from support.checks.certificate.authority import FUTURE, NOW, PAST, Span, issue
from support.checks.inventory import secret_of
from support.kube.objects import Object
from support.platform.certificate import Source, Tls, flaws, missing, staleness, unpack

WILDCARD = "*.example.com"
SOURCE = Source.of("example.com", "default")


@pytest.fixture(scope="module")
def authority() -> CA:
    return CA()


def told(tls: Tls, now: datetime | None = None) -> list[str]:
    return list(flaws(tls, WILDCARD, now or datetime.now(UTC)))


def kept(tls: Tls) -> Object:
    return secret_of(tls, SOURCE)


def test_the_secret_is_named_after_the_domain() -> None:
    assert str(Source.of("lab.example.com", "certs")) == "Secret certs/lab-example-com-tls"
    assert "*.example.com" in missing(SOURCE)


def test_a_good_certificate_has_no_flaw(authority: CA) -> None:
    assert not told(issue(authority, WILDCARD))
    assert not list(flaws(issue(authority, WILDCARD), WILDCARD.upper(), datetime.now(UTC)))


@pytest.mark.parametrize(
    ("host", "span", "flaw"),
    [
        (WILDCARD, PAST, "expired on "),
        (WILDCARD, FUTURE, "is not valid before "),
        ("example.com", NOW, "does not cover *.example.com, but example.com"),
        ("chroma.example.com", NOW, "does not cover *.example.com, but chroma.example.com"),
        ("*.lab.example.com", NOW, "does not cover *.example.com, but *.lab.example.com"),
    ],
)
def test_each_flaw_is_told(authority: CA, host: str, span: Span, flaw: str) -> None:
    (seen,) = told(issue(authority, host, span))
    assert seen.startswith(flaw)


def test_the_last_second_counts(authority: CA) -> None:
    tls = issue(authority, WILDCARD)
    end = datetime.now(UTC) + NOW.end * timedelta(days=1)
    assert not told(tls, end - timedelta(minutes=1))
    assert told(tls, end + timedelta(minutes=1))[0].startswith("expired")


def test_all_flaws_are_told_at_once(authority: CA) -> None:
    ours, anothers = issue(authority, "*.lab.example.com", PAST), issue(authority, WILDCARD)
    seen = told(Tls(ours.certificate, anothers.key))
    assert [flaw.split(" on ")[0] for flaw in seen] == [
        "expired",
        "does not cover *.example.com, but *.lab.example.com",
        "is not of the key beside it",
    ]


def test_what_is_no_certificate_is_told(authority: CA) -> None:
    assert told(Tls(b"certificate", b"key")) == ["holds no certificate that can be read"]
    assert told(Tls(issue(authority, WILDCARD).certificate, b"key")) == ["is not of the key beside it"]


def test_a_copy_is_stale_once_the_platforms_is_another(authority: CA) -> None:
    old, new = issue(authority, WILDCARD, Span(-1, 1)), issue(authority, WILDCARD, NOW)
    assert staleness(kept(old), kept(old)) is None
    stale = staleness(kept(old), kept(new)) or ""
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%d")
    assert f"valid until {tomorrow}" in stale
    assert stale.index(tomorrow) < stale.index("the platform's until")


@pytest.mark.parametrize("data", [None, {}, {"tls.crt": "YQ=="}, {"tls.crt": "YQ==", "tls.key": "a"}])
def test_a_secret_that_holds_no_pair_is_none(data: dict[str, str] | None) -> None:
    assert unpack({"kind": "Secret", "data": data}) is None


def test_a_secret_gives_back_what_was_put_in() -> None:
    assert unpack(kept(Tls(b"certificate", b"key"))) == Tls(b"certificate", b"key")
    assert kept(Tls(b"a", b"b"))["data"]["tls.crt"] == base64.b64encode(b"a").decode()
