"""A release is blamed for what its image's version is known to do with it, and for nothing else."""

from typing import Any

import pytest

from support.release import lint, versions
from support.release.catalogue import load
from support.release.release import Release


def release(image: str = "chroma:0.5.23", gateway: str | None = None, **chroma: Any) -> Release:
    front = {"gateway": {"image": gateway}} if gateway else {}
    return Release.model_validate(
        {"name": "sample", "title": "t", "chroma": {"image": image, **chroma}, **front}
    )


def told(release: Release, objects: Any = ()) -> str:
    return "\n".join(map(str, lint.check(release, objects)))


NAMES = {
    "CHROMA_SERVER_AUTHN_PROVIDER": "chromadb.auth.token_authn.TokenAuthenticationServerProvider",
    "CHROMA_SERVER_AUTHN_CREDENTIALS": {"secret": "chroma-auth", "key": "auth-token"},
    "CHROMA_AUTH_TOKEN_TRANSPORT_HEADER": "X-Chroma-Token",
    "PERSIST_DIRECTORY": "/data",
}


@pytest.mark.parametrize("name", ["gateway", "native"])
def test_nothing_is_wrong_with_what_people_should_run(name: str) -> None:
    assert not lint.check(load(name))


def test_the_documented_release_is_open_in_every_version() -> None:
    documented = load("documented")
    reason = lint.why_insecure(documented)
    assert reason is not None
    assert (
        "0.4.8 to 0.4.24: does not start unless CHROMA_SERVER_AUTH_TOKEN_TRANSPORT_HEADER is spelled"
        in reason
    )
    assert "0.5.23 to 0.6.0, 0.6.3: open without CHROMA_SERVER_AUTHN_PROVIDER" in reason
    assert "1.0.0 and later: open, since it knows no authentication" in reason
    assert 'the release "gateway"' in reason
    assert "chroma:latest says no version" in told(documented)
    assert "/chroma/chroma" in told(documented)


@pytest.mark.parametrize(
    ("image", "change", "wrong", "is_insecure"),
    [
        ("chroma:1.5.9", {}, "it knows no authentication", True),
        (
            "chroma:0.5.23",
            {"CHROMA_SERVER_AUTHN_PROVIDER": None},
            "open without CHROMA_SERVER_AUTHN_PROVIDER",
            True,
        ),
        ("chroma:0.5.23", {"CHROMA_SERVER_AUTHN_CREDENTIALS": None}, "does not start without", False),
        ("chroma:0.5.23", {"CHROMA_AUTH_TOKEN_TRANSPORT_HEADER": None}, "another header", False),
        (
            "chroma:0.5.23",
            {"CHROMA_AUTH_TOKEN_TRANSPORT_HEADER": "X_CHROMA_TOKEN"},
            "is spelled X-Chroma-Token",
            False,
        ),
        ("chroma:0.5.0", {}, "is spelled X_CHROMA_TOKEN", False),
        ("chroma:0.5.23", {"CHROMA_SERVER_AUTHN_PROVIDER": "another"}, "asks for something else", False),
    ],
)
def test_who_is_asked_for_the_token_depends_on_the_version(
    image: str, change: dict[str, str | None], wrong: str, *, is_insecure: bool
) -> None:
    environment = {name: value for name, value in {**NAMES, **change}.items() if value is not None}
    sample = release(image, environment=environment)
    assert wrong in told(sample)
    assert bool(lint.why_insecure(sample)) is is_insecure


def test_behind_a_gateway_chroma_need_ask_nobody() -> None:
    assert lint.why_insecure(release("chroma:1.5.9", gateway="gateway:1")) is None


def test_names_that_some_version_honours_open_nothing_for_sure() -> None:
    floating = release("chroma:latest", environment=NAMES)
    assert lint.why_insecure(floating) is None
    assert "says no version" in told(floating)


@pytest.mark.parametrize(
    ("sample", "wrong"),
    [
        (release(readiness={"path": "/api/v0/heartbeat"}), "readiness probe asks at /api/v0/heartbeat"),
        (release("chroma:0.5.5", environment=NAMES), "ask at /api/v1/heartbeat"),
        (release("chroma:1.5.9", liveness={"path": "/api/v1/heartbeat"}), "liveness probe asks at"),
        (
            release(),
            "the claim is mounted at /data, but Chroma writes elsewhere (0.5.23 to 0.6.0: /chroma/chroma)",
        ),
        (release("chroma:1.5.9", data="/chroma/chroma"), "Chroma writes elsewhere (1.0.0 and later: /data)"),
        (release("chroma:0.5.12"), "nothing is known of the version of chroma:0.5.12"),
        (release(environment={**NAMES, "CHROMA_SERVER_AUTHN_CREDENTIALS": "secret"}), "for all to read"),
    ],
)
def test_what_does_not_fit_the_version_is_told(sample: Release, wrong: str) -> None:
    assert wrong in told(sample)


def test_a_service_named_chroma_is_told_unless_the_pod_has_no_links() -> None:
    service = {"kind": "Service", "metadata": {"name": "chroma"}}

    def statefulset(**spec: Any) -> dict[str, Any]:
        return {"kind": "StatefulSet", "spec": {"template": {"spec": spec}}}

    assert "a Service named chroma" in told(load("native"), [service, statefulset()])
    assert "a Service named chroma" not in told(
        load("native"), [service, statefulset(enableServiceLinks=False)]
    )


def test_a_tag_that_is_no_version_is_no_number() -> None:
    assert versions.number("harbor.example.com:5000/library/chroma:1.5.9") == (1, 5, 9)
    assert versions.number("chroma:v0.6.0") == (0, 6, 0)
    for image in (
        "chroma",
        "chroma:latest",
        "chroma:1",
        "harbor.example.com:5000/chroma",
        "chroma:0.0.0-rc1",
    ):
        assert versions.number(image) is None


def test_of_a_version_nothing_is_claimed_that_is_not_known() -> None:
    assert load("native").capabilities == {
        "authentication",
        "native-authentication",
        "api-v1",
        "later-version",
        "telemetry",
    }
    assert {"gateway", "server-validation"} < load("gateway").capabilities
    assert not {"api-v1", "telemetry"} & load("gateway").capabilities
    assert load("documented").capabilities == {"authentication"}, "which each has to have"
