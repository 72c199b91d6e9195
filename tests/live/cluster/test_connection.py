"""What kubectl gets along with, every way to the cluster does: the first look, plain requests and websockets."""

from __future__ import annotations

import copy
import re
import ssl
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import yaml
from trustme import CA

from cluster.provider import ClusterError, provider_for
from support.core.wait import wait_for
from support.kube.client import Kube
from support.kube.errors import ApiError
from tests import proxies
from tests.live.cluster.conftest import RECIPES
from tests.live.cluster.place import PORT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cluster.provider import Access
    from tests.live.cluster.place import Place
    from tests.proxies import Handle

# Seconds within which an error is told that no waiting changes.
AT_ONCE = 10.0
# A name that only a proxy knows; the API server's certificate holds it.
NAMED = "https://kubernetes:6443"


@dataclass
class Net:
    """The shared cluster's API server at `server`, and what a test lays on the way to it."""

    config: dict[str, Any]
    directory: Path
    stack: ExitStack

    @property
    def server(self) -> tuple[str, int]:
        parts = urlsplit(self.config["clusters"][0]["cluster"]["server"])
        return str(parts.hostname), int(parts.port or 443)

    @property
    def names(self) -> dict[str, tuple[str, int]]:
        """What only a proxy knows."""
        return {"kubernetes:6443": self.server}

    def listen(self, handle: Handle, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> int:
        return self.stack.enter_context(proxies.listening(handle, host, tls))

    def write(self, user: dict[str, Any] | None = None, /, **changes: Any) -> Path:
        """Write the cluster's kubeconfig with other values of its cluster, or of its user."""
        config = copy.deepcopy(self.config)
        config["clusters"][0]["cluster"] |= changes
        known = config["users"][0]
        known["user"] = {name: value for name, value in {**known["user"], **(user or {})}.items() if value}
        file = self.directory / "kubeconfig"
        file.write_text(yaml.safe_dump(config))
        return file


@pytest.fixture
def net(cluster: Access, tmp_path: Path) -> Iterator[Net]:
    with ExitStack() as stack:
        yield Net(yaml.safe_load(cluster.kubeconfig.read_text()), tmp_path, stack)


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A proxy's own certificate, of an authority that this machine believes."""
    authority = CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture
def pod(place: Place) -> str:
    place.pod("web", ["serve"], labels={"app": "web"})
    place.ready("web")
    return "web"


def look(kubeconfig: Path) -> None:
    """Do what a run does before anything else."""
    provider_for(
        "external", kubeconfig=kubeconfig, context=None, recipes=RECIPES, progress=lambda _: None
    ).create()


def assert_every_way_leads_there(kubeconfig: Path, place: Place, pod: str) -> None:
    look(kubeconfig)
    kube = Kube(kubeconfig, None)
    assert kube.get("Pod", pod, place.name)
    assert kube.exec(place.name, pod, "probe", ["/probe", "nonsense"], 30).code != 0
    with kube.forward(place.name, pod, PORT) as connection:
        connection.settimeout(30)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n")
        assert connection.recv(12) == b"HTTP/1.1 200"


def test_a_forwarded_port_is_taken_under_the_name_of_the_server(net: Net, place: Place, pod: str) -> None:
    port = net.listen(proxies.relay(net.server), "127.9.9.9")
    kubeconfig = net.write(server=f"https://127.9.9.9:{port}", **{"tls-server-name": "kubernetes"})
    assert_every_way_leads_there(kubeconfig, place, pod)


@pytest.mark.parametrize("scheme", ["http", "socks5", "socks5h"])
def test_a_proxy_with_a_password_is_taken(
    net: Net,
    place: Place,
    pod: str,
    scheme: str,
) -> None:
    make = proxies.http_proxy if scheme == "http" else proxies.socks_proxy
    port = net.listen(make(net.names))
    url = f"{scheme}://{proxies.IN_URL}@127.0.0.1:{port}"
    assert_every_way_leads_there(net.write(server=NAMED, **{"proxy-url": url}), place, pod)


def test_a_proxy_that_is_spoken_to_in_tls_is_taken(
    net: Net,
    place: Place,
    pod: str,
    tls: ssl.SSLContext,
) -> None:
    port = net.listen(proxies.http_proxy(net.names), tls=tls)
    url = f"https://{proxies.IN_URL}@localhost:{port}"
    assert_every_way_leads_there(net.write(server=NAMED, **{"proxy-url": url}), place, pod)


def test_a_proxy_that_the_kubeconfig_names_is_taken_to_this_machine_as_well(
    net: Net, place: Place, pod: str
) -> None:
    # As kubectl does; only the environment's proxies never lead to this machine.
    port = net.listen(proxies.http_proxy({"127.0.0.1:1": net.server}))
    url = f"http://{proxies.IN_URL}@127.0.0.1:{port}"
    kubeconfig = net.write(
        server="https://127.0.0.1:1", **{"proxy-url": url, "tls-server-name": "kubernetes"}
    )
    assert_every_way_leads_there(kubeconfig, place, pod)


def test_the_environments_proxy_is_taken_by_every_way(
    net: Net,
    place: Place,
    pod: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    port = net.listen(proxies.http_proxy(net.names))
    monkeypatch.setenv("HTTPS_PROXY", f"http://{proxies.IN_URL}@127.0.0.1:{port}")
    assert_every_way_leads_there(net.write(server=NAMED), place, pod)


def test_a_user_who_acts_as_another_has_that_ones_rights_on_every_way(
    net: Net, place: Place, pod: str
) -> None:
    kube = Kube(net.write({"as": "system:serviceaccount:default:default"}), None)
    for ask in (
        lambda: kube.list("Secret", place.name),
        lambda: kube.exec(place.name, pod, "probe", ["/probe"], 30),
    ):
        with pytest.raises(ApiError) as refused:
            ask()
        assert refused.value.status == 403


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"proxy-url": "http://jo:wrong@127.0.0.1:{port}"},
            r"refuses the way to kubernetes:6443: 407 .*password",
        ),
        ({"proxy-url": "http://127.0.0.1:{port}"}, r"refuses the way to kubernetes:6443: 407 .*password"),
        ({"proxy-url": "http://127.0.0.1:1"}, r"the proxy http://127\.0\.0\.1:1 does not answer"),
        ({"proxy-url": "ftp://jo:wrong@127.0.0.1:1"}, r"a proxy of the kind ftp, which is not supported"),
        ({"proxy-url": "http://jo:wrong@"}, r"is no URL of a proxy"),
    ],
)
def test_a_proxy_that_does_not_let_us_through_is_told_in_one_line(
    net: Net,
    changes: dict[str, str],
    told: str,
) -> None:
    port = net.listen(proxies.http_proxy(net.names))
    values = {name: value.format(port=port) for name, value in changes.items()}
    with pytest.raises(ClusterError) as error:
        look(net.write(server=NAMED, **values))
    text = str(error.value)
    assert re.search(told, text), text
    assert "\n" not in text
    assert "wrong" not in text


def test_groups_of_another_user_are_not_supported_and_that_is_said(net: Net) -> None:
    with pytest.raises(ClusterError, match="asks for as-groups, which is not supported"):
        look(net.write({"as": "jo", "as-groups": ["admins"]}))


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ("certificate", "its certificate is not believed: .*127.9.9.9"),
        ("password", "407"),
        ("token", "401"),
        ("forbidden", "403"),
        ("blocked", "403"),
    ],
)
def test_what_cannot_heal_ends_a_wait_for_a_way_to_a_pod_at_once(
    net: Net,
    place: Place,
    pod: str,
    case: str,
    told: str,
) -> None:
    match case:
        case "certificate":
            port = net.listen(proxies.relay(net.server), "127.9.9.9")
            kubeconfig = net.write(server=f"https://127.9.9.9:{port}")
        case "password" | "blocked":
            refusal = "403 Forbidden" if case == "blocked" else ""
            port = net.listen(proxies.http_proxy(net.names, refusal))
            url = f"http://jo:{'x' if case == 'password' else 'y'}@127.0.0.1:{port}"
            kubeconfig = net.write(server=NAMED, **{"proxy-url": url})
        case "token":
            kubeconfig = net.write(
                {"token": "nobody's", "client-certificate-data": None, "client-key-data": None}
            )
        case _:
            kubeconfig = net.write({"as": "system:serviceaccount:default:default"})
    kube = Kube(kubeconfig, None)
    began = time.monotonic()
    with pytest.raises(ApiError, match=told):
        wait_for(lambda: kube.forward(place.name, pod, PORT), 60, lambda: f"no way to {pod}", (ApiError,))
    assert time.monotonic() - began < AT_ONCE


def test_what_a_broken_kubeconfig_holds_is_not_shown(net: Net) -> None:
    kubeconfig = net.write({"token": "sesame", "client-key-data": None})
    kubeconfig.write_text(kubeconfig.read_text().replace("client-certificate-data", "client-certificate"))
    with pytest.raises(ClusterError) as error:
        look(kubeconfig)
    assert "does not lead to a cluster: " in str(error.value)
    assert "sesame" not in str(error.value)
