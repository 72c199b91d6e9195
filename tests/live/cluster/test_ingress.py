"""The ingress serves hosts over https as the documented annotations say."""

from __future__ import annotations

import json
import ssl
import time
from typing import TYPE_CHECKING

import pytest

from support.core.wait import wait_for
from tests.live.cluster.ask import Response, ask, trusting
from tests.live.cluster.place import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

    from cluster.provider import Access
    from support.kube.client import Kube
    from tests.live.cluster.place import Place

# Twice what ingress-nginx allows by itself.
LIMIT = 2 << 20  # bytes
ANNOTATIONS = "nginx.ingress.kubernetes.io"
READ_TIMEOUT = 1  # seconds


@pytest.fixture(scope="module")
def tls(cluster: Access) -> ssl.SSLContext:
    """Trust the cluster's authority of web addresses, and no other."""
    return trusting(cluster.inventory["ca_bundle"])


@pytest.fixture(scope="module")
def shop(
    opened: Callable[..., AbstractContextManager[Place]], client: Kube, cluster: Access, tls: ssl.SSLContext
) -> Iterator[Place]:
    """One server behind an ingress with the documented annotations, and one that serves in clear as well."""
    with opened() as place:
        certificate = client.get("Secret", "example-com-tls", "default")
        assert certificate is not None, "promised: the platform's certificate in the namespace default"
        place.apply("Secret", "certificate", {"type": certificate["type"], "data": certificate["data"]})
        place.service("web", "web")
        place.pod("web", ["serve"], labels={"app": "web"})
        limits = {"proxy-body-size": "2m", "proxy-read-timeout": str(READ_TIMEOUT)}
        _publish(place, cluster, "documented", {"ssl-redirect": "true", **limits})
        _publish(place, cluster, "clear", {"ssl-redirect": "false"})
        place.ready("web")
        for host in ("documented", "clear"):
            _wait_until_served(cluster, _host(cluster, host), tls)
        yield place


def _publish(place: Place, cluster: Access, name: str, annotations: dict[str, str]) -> None:
    host = _host(cluster, name)
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    place.apply(
        "Ingress",
        name,
        {
            "spec": {
                "ingressClassName": cluster.inventory["primary_ingress_class"],
                "tls": [{"hosts": [host], "secretName": "certificate"}],
                "rules": [
                    {
                        "host": host,
                        "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]},
                    }
                ],
            }
        },
        annotations={f"{ANNOTATIONS}/{key}": value for key, value in annotations.items()},
    )


def _host(cluster: Access, name: str) -> str:
    return f"{name}.{cluster.inventory['domain_name']}"


def _wait_until_served(cluster: Access, host: str, tls: ssl.SSLContext) -> None:
    """Look until a host has its route and its certificate."""
    seen: list[Response] = []

    def served() -> bool:
        seen[:] = [ask(cluster, host, tls=tls)]
        return seen[0].status == 200

    wait_for(served, PATIENCE, lambda: f"promised: {host} is served; seen: {seen}", (OSError,))


@pytest.fixture
def documented(shop: Place, cluster: Access) -> str:
    """The host whose ingress carries the documented annotations."""
    del shop
    return _host(cluster, "documented")


@pytest.fixture
def clear(shop: Place, cluster: Access) -> str:
    """The host whose ingress asks for no redirect."""
    del shop
    return _host(cluster, "clear")


def test_a_host_is_served_over_https(cluster: Access, documented: str, tls: ssl.SSLContext) -> None:
    response = ask(cluster, documented, tls=tls)
    assert (response.status, response.body) == (200, "web\n")


def test_the_server_hears_who_was_asked(cluster: Access, documented: str, tls: ssl.SSLContext) -> None:
    seen = json.loads(ask(cluster, documented, "/echo?a=b", tls=tls).body)
    assert (seen["host"], seen["path"]) == (documented, "/echo?a=b")


def test_the_certificate_comes_from_the_clusters_authority_alone(cluster: Access, documented: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer certificate"):
        ask(cluster, documented, tls=ssl.create_default_context())


@pytest.mark.usefixtures("shop")
def test_the_certificate_is_for_the_hosts_of_the_domain_alone(cluster: Access, tls: ssl.SSLContext) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match=r"Hostname mismatch|self-signed certificate"):
        ask(cluster, "documented.example.net", tls=tls)


@pytest.mark.usefixtures("shop")
def test_a_host_that_nobody_serves_is_not_found(cluster: Access, tls: ssl.SSLContext) -> None:
    nobody = _host(cluster, "nobody")
    del tls
    assert ask(cluster, nobody).status == 404


def test_plain_http_is_redirected_for_good(cluster: Access, documented: str) -> None:
    response = ask(cluster, documented, "/echo?a=b")
    assert (response.status, response.headers.get("Location")) == (308, f"https://{documented}/echo?a=b")


def test_plain_http_is_served_where_no_redirect_is_asked_for(cluster: Access, clear: str) -> None:
    assert ask(cluster, clear).status == 200


@pytest.mark.parametrize("wrap", [bytes, lambda body: iter([body])], ids=["of a length", "in chunks"])
@pytest.mark.parametrize(
    ("size", "status"), [(LIMIT, 200), (LIMIT + 1, 413)], ids=["of the limit", "one byte longer"]
)
def test_bodies_pass_up_to_the_limit(
    cluster: Access,
    documented: str,
    tls: ssl.SSLContext,
    *,
    wrap: Callable[[bytes], bytes | Iterable[bytes]],
    size: int,
    status: int,
) -> None:
    assert ask(cluster, documented, "/echo", tls=tls, body=wrap(b"x" * size)).status == status


def test_a_body_arrives_whole(cluster: Access, documented: str, tls: ssl.SSLContext) -> None:
    assert (
        json.loads(ask(cluster, documented, "/echo", tls=tls, body=b"x" * LIMIT).body)["bodyLength"] == LIMIT
    )


def test_a_server_that_is_silent_for_too_long_is_given_up(
    cluster: Access, documented: str, tls: ssl.SSLContext
) -> None:
    began = time.monotonic()
    response = ask(cluster, documented, f"/sleep?s={20 * READ_TIMEOUT}", tls=tls)
    # Far from the server's own time, and not too near to what a busy machine needs.
    assert (response.status, READ_TIMEOUT <= time.monotonic() - began < 10 * READ_TIMEOUT) == (504, True)
