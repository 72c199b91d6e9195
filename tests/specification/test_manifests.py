"""Every release renders to valid objects of ours, always the same, that show the token to nobody who need not know it."""

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from support.deploy.objects import prepull_pod
from support.kube.labels import ownership
from support.release import catalogue as releases
from support.release.catalogue import load, variant
from support.release.place import Place
from support.release.release import Release, ReleaseError
from support.release.render import render, stamp
from tests.samples import TLS, TOKEN, inventory, rendered, validate

ROOT = Path(__file__).parents[2]

Manifest = dict[str, Any]


@pytest.fixture
def objects(tmp_path: Path) -> list[Manifest]:
    return rendered(tmp_path)


def one(objects: list[Manifest], kind: str, name: str) -> Manifest:
    (found,) = [obj for obj in objects if obj["kind"] == kind and obj["metadata"]["name"] == name]
    return found


def pod(objects: list[Manifest]) -> Manifest:
    template: Manifest = one(objects, "StatefulSet", "chroma")["spec"]["template"]
    return template


@pytest.mark.parametrize("name", releases.names())
@pytest.mark.parametrize("run_id", [None, "r1"])
def test_every_release_renders_to_valid_objects_of_ours(
    tmp_path: Path, name: str, run_id: str | None
) -> None:
    objects = rendered(tmp_path, name, run_id=run_id)
    validate(objects)
    for obj in objects:
        assert ownership(run_id).items() <= obj["metadata"]["labels"].items()
        assert obj["metadata"].get("namespace", "chroma") == "chroma"
    assert ownership(run_id).items() <= pod(objects)["metadata"]["labels"].items()


def test_the_objects_are_those_of_the_documented_component(objects: list[Manifest]) -> None:
    assert [(obj["kind"], obj["metadata"]["name"]) for obj in objects] == [
        ("Namespace", "chroma"),
        ("Secret", "chroma-auth"),
        ("Secret", "chroma-gateway"),
        ("Secret", "chroma-tls-secret"),
        ("ConfigMap", "chroma-gateway"),
        ("PersistentVolumeClaim", "chroma-data-pvc"),
        ("Service", "chromadb-headless"),
        ("Service", "chromadb-svc"),
        ("StatefulSet", "chroma"),
        ("Ingress", "chroma-ingress"),
        ("ConfigMap", "thinkube-service-config"),
    ]


def test_a_route_takes_the_place_of_the_ingress(tmp_path: Path, objects: list[Manifest]) -> None:
    routed = rendered(tmp_path, exposure="route")
    names = [(obj["kind"], obj["metadata"]["name"]) for obj in routed]
    usual = [(obj["kind"], obj["metadata"]["name"]) for obj in objects]
    assert set(names) - set(usual) == {("HTTPRoute", "chroma-route"), ("HTTPRoute", "chroma-redirect")}
    assert set(usual) - set(names) == {("Ingress", "chroma-ingress")}


def test_rendering_twice_gives_the_same(tmp_path: Path, objects: list[Manifest]) -> None:
    assert rendered(tmp_path) == objects


def test_only_the_applications_secret_holds_the_token(objects: list[Manifest]) -> None:
    encoded = base64.b64encode(TOKEN.encode()).decode()
    assert one(objects, "Secret", "chroma-auth")["data"]["auth-token"] == encoded
    for obj in objects:
        if obj["metadata"]["name"] != "chroma-auth":
            assert TOKEN not in str(obj)
            assert encoded not in str(obj)


def test_the_gateway_knows_the_tokens_hash_alone(objects: list[Manifest]) -> None:
    known = base64.b64decode(one(objects, "Secret", "chroma-gateway")["data"]["tokens.map"]).decode()
    assert known == f"{hashlib.sha256(TOKEN.encode()).hexdigest()} tkadmin\n"
    mounted = {
        volume["secret"]["secretName"] for volume in pod(objects)["spec"]["volumes"] if "secret" in volume
    }
    assert mounted == {"chroma-gateway"}
    assert "chroma-auth" not in str(pod(objects))


def test_no_fast_hash_of_the_token_is_open_to_readers_of_pods(objects: list[Manifest]) -> None:
    known = base64.b64decode(one(objects, "Secret", "chroma-gateway")["data"]["tokens.map"])
    for hashed in (TOKEN.encode(), known):
        assert hashlib.sha256(hashed).hexdigest()[:8] not in str(pod(objects))


def test_a_new_token_rolls_the_pod(tmp_path: Path, objects: list[Manifest]) -> None:
    place = Place("chroma", "chroma.example.com")
    again = render(load("gateway"), inventory(tmp_path, token=TOKEN[::-1]), place, TLS)
    assert pod(again)["metadata"]["annotations"] != pod(objects)["metadata"]["annotations"]


def test_a_new_configuration_of_the_gateway_rolls_the_pod(objects: list[Manifest]) -> None:
    config = one(objects, "ConfigMap", "chroma-gateway")
    changed = {**config, "data": {**config["data"], "haproxy.cfg": "# another"}}
    again = stamp(changed if obj is config else obj for obj in objects)
    assert pod(again)["metadata"]["annotations"] != pod(objects)["metadata"]["annotations"]


def test_chroma_listens_where_only_the_gateway_reaches_it(objects: list[Manifest]) -> None:
    (chroma,) = pod(objects)["spec"]["containers"]
    environment = {entry["name"]: entry["value"] for entry in chroma["env"]}
    assert environment == {"CHROMA_LISTEN_ADDRESS": "127.0.0.1", "CHROMA_PORT": "8001"}
    assert (
        "server chroma 127.0.0.1:8001" in one(objects, "ConfigMap", "chroma-gateway")["data"]["haproxy.cfg"]
    )


def test_images_come_from_the_inventorys_registry(objects: list[Manifest]) -> None:
    spec = pod(objects)["spec"]
    images = [container["image"] for container in (*spec["initContainers"], *spec["containers"])]
    assert images == ["harbor.example.com/library/gateway:1", "harbor.example.com/library/chroma:1.5.9-kept"]


@pytest.mark.parametrize("name", sorted({*releases.names()} - {"gateway"}))
def test_a_refused_release_differs_from_the_default(
    tmp_path: Path, objects: list[Manifest], name: str
) -> None:
    assert rendered(tmp_path, name) != objects


@pytest.mark.parametrize("under_test", ["gateway", "native"])
def test_what_spoils_the_release_under_test_spoils_whichever_that_is(under_test: str) -> None:
    spoiled, good = variant("rejected", load(under_test)), load(under_test)
    assert (spoiled.user, good.user) == (0, 1000)
    assert spoiled.chroma == good.chroma


def test_a_release_without_a_gateway_has_no_objects_of_one(tmp_path: Path) -> None:
    names = {obj["metadata"]["name"] for obj in rendered(tmp_path, "native")}
    assert "chroma-gateway" not in names
    assert names >= {
        "chroma-auth",
        "chroma-tls-secret",
        "chromadb-svc",
        "chromadb-headless",
        "chroma-ingress",
    }


def test_a_container_takes_the_token_from_its_secret(tmp_path: Path) -> None:
    objects = rendered(tmp_path, "native")
    (chroma,) = pod(objects)["spec"]["containers"]
    environment = {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in chroma["env"]}
    assert environment["CHROMA_SERVER_AUTHN_CREDENTIALS"] == {
        "secretKeyRef": {"name": "chroma-auth", "key": "auth-token"}
    }
    assert environment["CHROMA_AUTH_TOKEN_TRANSPORT_HEADER"] == "X-Chroma-Token"
    assert TOKEN not in str(pod(objects))


def test_a_new_token_rolls_a_pod_that_has_it_in_its_environment(tmp_path: Path) -> None:
    place = Place("chroma", "chroma.example.com")
    one, other = (
        render(load("native"), inventory(tmp_path, token=token), place, TLS) for token in (TOKEN, TOKEN[::-1])
    )
    assert pod(one)["metadata"]["annotations"] != pod(other)["metadata"]["annotations"]


@pytest.mark.parametrize(
    ("name", "readiness", "liveness"),
    [("gateway", (0, 1), (0, 10)), ("native", (10, 5), (30, 10)), ("documented", (10, 5), (30, 10))],
)
def test_probes_keep_the_documented_time_but_for_the_gateways(
    tmp_path: Path, name: str, readiness: tuple[int, int], liveness: tuple[int, int]
) -> None:
    (chroma,) = pod(rendered(tmp_path, name))["spec"]["containers"]
    for probe, times in (("readinessProbe", readiness), ("livenessProbe", liveness)):
        port = 8405 if name == "gateway" else 8000
        path = "/ready" if (name, probe) == ("gateway", "readinessProbe") else "/api/v2/heartbeat"
        assert chroma[probe]["httpGet"] == {"path": path, "port": port}
        assert (chroma[probe].get("initialDelaySeconds", 0), chroma[probe]["periodSeconds"]) == times


def test_the_documented_release_is_the_documentations_to_the_letter(tmp_path: Path) -> None:
    (chroma,) = pod(rendered(tmp_path, "documented"))["spec"]["containers"]
    assert chroma["image"] == "harbor.example.com/library/chroma:latest"
    assert chroma["ports"] == [{"name": "http", "containerPort": 8000, "protocol": "TCP"}]
    assert chroma["volumeMounts"] == [{"name": "data", "mountPath": "/data"}]
    assert chroma["resources"] == {
        "requests": {"cpu": "250m", "memory": "512Mi"},
        "limits": {"cpu": "1", "memory": "2Gi"},
    }
    assert chroma["env"] == [
        {
            "name": "CHROMA_SERVER_AUTH_CREDENTIALS_PROVIDER",
            "value": "chromadb.auth.token.TokenConfigServerAuthCredentialsProvider",
        },
        {"name": "CHROMA_SERVER_AUTH_PROVIDER", "value": "chromadb.auth.token.TokenAuthServerProvider"},
        {"name": "CHROMA_SERVER_AUTH_TOKEN_TRANSPORT_HEADER", "value": "X-Chroma-Token"},
        {
            "name": "CHROMA_SERVER_AUTH_CREDENTIALS",
            "valueFrom": {"secretKeyRef": {"name": "chroma-auth", "key": "auth-token"}},
        },
        {"name": "ANONYMIZED_TELEMETRY", "value": "FALSE"},
    ]


def test_an_unknown_release_is_told_the_known_ones() -> None:
    with pytest.raises(
        ReleaseError, match=r"no release is named 'gatewy'; did you mean gateway\? There are: .*native"
    ):
        load("gatewy")


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(releases, "RELEASES", tmp_path)
    (tmp_path / "base.yaml").write_text(
        "{title: t, chroma: {image: chroma:1, memory: {request: 1Gi, limit: 1Gi}}, gateway: {image: gateway:1}}"
    )
    return tmp_path


def test_a_release_states_only_how_it_differs(directory: Path) -> None:
    (directory / "heir.yaml").write_text("{title: u, extends: base, chroma: {memory: {limit: 4Gi}}}")
    heir = load("heir")
    assert (heir.name, heir.title, heir.chroma.image) == ("heir", "u", "chroma:1")
    assert (heir.chroma.memory.request, heir.chroma.memory.limit) == ("1Gi", "4Gi")


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("{extends: base, title: ''}", "title: String should have at least 1 character"),
        ("{extends: base, title: t, chroma: {imagee: x}}", "chroma.imagee: unknown; did you mean image?"),
        ("{title: t, chroma: {}}", "chroma.image: missing"),
        (
            "{title: t, chroma: {image: x, readiness: {pth: /}}}",
            "chroma.readiness.pth: unknown; did you mean path?",
        ),
        ("{extends: base, title: t, user: root}", "user: Input should be a valid integer"),
        ("{extends: base, title: t, name: other}", "take `name` out of it"),
        ("{extends: nobody, title: t}", "which 'spoiled' extends"),
        ("{extends: spoiled, title: t}", "release 'spoiled' extends itself: spoiled -> spoiled"),
        ("title: [", "is not YAML"),
        ("- title", "must be a mapping"),
    ],
)
def test_what_is_wrong_in_a_release_is_said(directory: Path, text: str, wrong: str) -> None:
    (directory / "spoiled.yaml").write_text(text)
    with pytest.raises(ReleaseError) as raised:
        load("spoiled")
    assert "'spoiled'" in str(raised.value)
    assert wrong in str(raised.value)


def test_what_pulls_images_is_a_valid_pod_that_runs_nothing_and_serves_nobody(
    objects: list[Manifest],
) -> None:
    pulling = prepull_pod(one(objects, "StatefulSet", "chroma"))
    validate([pulling])
    spec = pod(objects)["spec"]
    assert [container["image"] for container in pulling["spec"]["containers"]] == [
        container["image"] for container in (*spec["initContainers"], *spec["containers"])
    ]
    assert ownership(None).items() <= pulling["metadata"]["labels"].items()
    assert "app" not in pulling["metadata"]["labels"]
    assert "volumes" not in pulling["spec"]


def stated(**differences: Any) -> Release:
    """Return the release gateway with other statements."""
    return Release.model_validate({**load("gateway").model_dump(), **differences})


def allowing(origins: Any) -> Release:
    """Return the release gateway with this as the origins that Chroma allows."""
    release = load("gateway")
    environment = {**release.chroma.environment, "CHROMA_CORS_ALLOW_ORIGINS": origins}
    return stated(chroma={**release.chroma.model_dump(), "environment": environment})


def test_the_gateway_is_told_to_accept_bearer_tokens_only_where_the_release_says_so(tmp_path: Path) -> None:
    place, platform = Place("chroma", "chroma.example.com"), inventory(tmp_path)
    for accepts in (False, True):
        release = stated(gateway={"image": "gateway:1", "accept_bearer": accepts})
        (gateway,) = pod(render(release, platform, place, TLS))["spec"]["initContainers"]
        told = {variable["name"]: variable["value"] for variable in gateway.get("env", [])}
        assert told.get("GATEWAY_ACCEPTS_BEARER") == ("true" if accepts else None)


@pytest.mark.parametrize(("image", "has"), [("chroma:1.5.9-kept", True), ("chroma:1.5.9", False)])
def test_the_gateway_asks_a_keeper_only_where_the_image_has_one(
    tmp_path: Path, image: str, *, has: bool
) -> None:
    place, platform = Place("chroma", "chroma.example.com"), inventory(tmp_path)
    release = stated(chroma={**load("gateway").chroma.model_dump(), "image": image})
    spec = pod(render(release, platform, place, TLS))["spec"]
    (gateway,), (chroma,) = spec["initContainers"], spec["containers"]
    told = {variable["name"] for variable in gateway.get("env", [])}
    assert ("GATEWAY_HAS_KEEPER" in told) == has
    assert (chroma["readinessProbe"]["httpGet"]["path"] == "/ready") == has
    assert ("startupProbe" in chroma) == has


def test_the_gateway_knows_the_origins_that_chroma_allows(tmp_path: Path) -> None:
    place, platform = Place("chroma", "chroma.example.com"), inventory(tmp_path)
    release = allowing('["https://app.example.com", "http://localhost:3000"]')
    config = one(render(release, platform, place, TLS), "ConfigMap", "chroma-gateway")
    assert config["data"]["origins.map"] == "https://app.example.com allowed\nhttp://localhost:3000 allowed\n"
    usual = render(load("gateway"), platform, place, TLS)
    assert one(usual, "ConfigMap", "chroma-gateway")["data"]["origins.map"] == ""


@pytest.mark.parametrize(
    ("origins", "told"),
    [
        ("https://app.example.com", "is not a list of origins"),
        ('{"https://app.example.com": true}', "is not a list of origins"),
        ('["https://app.example.com/"]', "names https://app.example.com/, which no browser sends"),
        ('["app.example.com"]', "names app.example.com, which no browser sends"),
        ('["https://App.example.com"]', "which no browser sends"),
        ('["https://a.example.com allowed\\nhttps://b"]', "which no browser sends"),
        ({"secret": "chroma-auth", "key": "auth-token"}, "stands in a Secret"),
    ],
)
def test_origins_that_no_browser_sends_are_refused(origins: Any, told: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(told)):
        allowing(origins)


def test_the_frontends_of_the_gateway_have_room_of_their_own_within_its_file_descriptors() -> None:
    config = (ROOT / "manifests" / "gateway" / "haproxy.cfg").read_text(encoding="utf-8")
    whole, *frontends = [int(number) for number in re.findall(r"^ +maxconn (\d+)$", config, re.MULTILINE)]
    assert len(frontends) == config.count("\nfrontend ")
    assert sum(frontends) == whole
    # Two for each connection, and some for listeners and threads, of the 1,024 that some container runtimes give.
    assert 2 * whole + 100 < 1024
