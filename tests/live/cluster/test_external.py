"""A cluster that the user names is asked what it has, and otherwise left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from cluster.provider import ClusterError, provider_for
from tests.live.cluster.conftest import RECIPES

if TYPE_CHECKING:
    from pathlib import Path

    from cluster.provider import Access, Provider
    from support.kube.client import Kube


@pytest.fixture
def config(cluster: Access) -> dict[str, Any]:
    """A kubeconfig that leads to the shared cluster."""
    content: dict[str, Any] = yaml.safe_load(cluster.kubeconfig.read_text())
    return content


def named(kubeconfig: Path | None, *, kind: str = "external", context: str | None = None) -> Provider:
    return provider_for(
        kind, kubeconfig=kubeconfig, context=context, recipes=RECIPES, progress=lambda _: None
    )


def written(directory: Path, config: dict[str, Any]) -> Path:
    file = directory / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    return file


@pytest.mark.parametrize("kind", ["external", "auto"])
def test_a_kubeconfig_leads_to_its_current_cluster(cluster: Access, kind: str) -> None:
    found = named(cluster.kubeconfig, kind=kind).create()
    assert (found.context, found.kubeconfig) == (cluster.context, cluster.kubeconfig)


def test_a_context_is_chosen_by_its_name(cluster: Access, config: dict[str, Any], tmp_path: Path) -> None:
    config["current-context"] = "another"
    found = named(written(tmp_path, config), context=cluster.context).create()
    assert found.context == cluster.context


def test_only_what_can_be_asked_is_claimed(cluster: Access) -> None:
    assert named(cluster.kubeconfig).create().capabilities == {
        "kubernetes",
        "ingress",
        "vantage",
        "volume-expansion",
    }


def test_the_platform_is_for_the_user_to_describe(cluster: Access) -> None:
    assert named(cluster.kubeconfig).create().inventory == {}


def test_its_end_deletes_nothing(cluster: Access, client: Kube) -> None:
    before = {one["metadata"]["uid"] for one in client.list("Namespace")}
    provider = named(cluster.kubeconfig)
    provider.create()
    provider.delete()
    gone = before - {one["metadata"]["uid"] for one in client.list("Namespace")}
    assert gone == set()


def test_a_cluster_that_is_not_named_is_never_used() -> None:
    with pytest.raises(ClusterError, match="add --kubeconfig FILE"):
        named(None).create()


def test_a_kubeconfig_without_a_current_context_wants_one_named(
    config: dict[str, Any], tmp_path: Path
) -> None:
    config["current-context"] = ""
    with pytest.raises(ClusterError, match="has no current context: add --context NAME"):
        named(written(tmp_path, config)).create()


def test_a_context_that_is_not_there_is_named(cluster: Access) -> None:
    with pytest.raises(ClusterError, match=r"does not lead to a cluster: .*elsewhere"):
        named(cluster.kubeconfig, context="elsewhere").create()


def test_a_kubeconfig_that_is_none_is_named(tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ClusterError, match=f"the kubeconfig {file} cannot be read"):
        named(file).create()


def test_a_cluster_that_does_not_answer_is_told(config: dict[str, Any], tmp_path: Path) -> None:
    # Nobody listens on port 1.
    config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    with pytest.raises(ClusterError, match=r"does not answer at https://127\.0\.0\.1:1: .*; start it"):
        named(written(tmp_path, config)).create()


def test_a_cluster_that_does_not_know_the_user_is_told(config: dict[str, Any], tmp_path: Path) -> None:
    config["users"][0]["user"] = {"token": "nobody's"}
    with pytest.raises(ClusterError, match=r"refuses us: 401 Unauthorized; renew the credentials"):
        named(written(tmp_path, config)).create()


def test_the_embedded_cluster_takes_no_kubeconfig(cluster: Access) -> None:
    with pytest.raises(ClusterError, match="the embedded cluster brings its own kubeconfig"):
        named(cluster.kubeconfig, kind="embedded")


def test_an_unknown_provider_is_refused() -> None:
    with pytest.raises(ClusterError, match="there is no provider 'cloud'"):
        named(None, kind="cloud")
