"""A pod asks its own cluster as its ServiceAccount, whose token is read at each request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from trustme import CA

from apiserver.errors import UnusableError
from apiserver.in_cluster import kubeconfig, namespace
from apiserver.kubeconfig import read

if TYPE_CHECKING:
    from pathlib import Path

ADDRESS = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}


@pytest.fixture
def account(tmp_path: Path) -> Path:
    (tmp_path / "token").write_text("first\n")
    (tmp_path / "namespace").write_text("chroma-conformance")
    CA().cert_pem.write_to_path(str(tmp_path / "ca.crt"))
    return tmp_path


def test_the_kubeconfig_leads_to_the_pods_cluster_and_holds_no_token(account: Path) -> None:
    file = kubeconfig(ADDRESS, account)
    target = read(file, None)
    assert (target.server, target.verified) == ("https://10.96.0.1:443", True)
    assert len(target.tls.get_ca_certs()) == 1
    assert target.headers() == {"Authorization": "Bearer first"}
    assert "first" not in file.read_text()


def test_a_token_that_was_renewed_is_shown(account: Path) -> None:
    target = read(kubeconfig(ADDRESS, account), None)
    (account / "token").write_text("second")
    assert target.headers() == {"Authorization": "Bearer second"}


def test_an_address_of_ipv6_stands_in_brackets(account: Path) -> None:
    file = kubeconfig({**ADDRESS, "KUBERNETES_SERVICE_HOST": "fd00::1"}, account)
    assert read(file, None).server == "https://[fd00::1]:443"


def test_outside_of_a_pod_there_is_none(account: Path) -> None:
    with pytest.raises(UnusableError, match="this is no pod of a cluster"):
        kubeconfig({}, account)


@pytest.mark.parametrize("missing", ["token", "ca.crt"])
def test_a_pod_without_an_account_is_told_what_to_do(account: Path, missing: str) -> None:
    (account / missing).unlink()
    with pytest.raises(UnusableError, match=rf"has no {account}/{missing}: give it a serviceAccountName"):
        kubeconfig(ADDRESS, account)


def test_the_namespace_is_the_pods(account: Path) -> None:
    assert (namespace(account), namespace(account / "elsewhere")) == ("chroma-conformance", "")
