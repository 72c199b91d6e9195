"""`python -m cluster` for people: a second cluster comes up beside the first, is shown, used and named."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench.traces import Traces, named
from cluster.embedded import access
from support.kube.client import Kube
from tests.live.cluster import memory
from tests.live.cluster.commands import Done, run
from tests.live.cluster.place import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cluster.provider import Access

NAME = "test-beside"
GB = 10**9


@pytest.fixture(scope="module")
def up(cluster: Access) -> Iterator[Done]:
    """What `up` says while another cluster lives."""
    del cluster
    done = run("up", NAME)
    yield done
    run("down", NAME)


@pytest.fixture(scope="module")
def beside(up: Done) -> Access:
    """The second cluster."""
    living = named(NAME)
    assert living is not None, up
    return access(living)


def test_up_names_the_kubeconfig_in_a_line_for_the_shell(up: Done, beside: Access) -> None:
    assert up.stdout.splitlines()[0] == f"export KUBECONFIG={beside.kubeconfig}"


def test_up_names_the_addresses(up: Done, beside: Access) -> None:
    address = beside.inventory["ingress_address"]
    assert re.findall(r"https://[^\s,]+", up.stdout) == [f"https://{address}:6443", f"https://{address}"]


def test_up_names_the_authority_of_web_addresses(up: Done, beside: Access) -> None:
    named_files = [Path(word) for word in up.stdout.split() if word.endswith(".pem")]
    assert named_files == [beside.inventory["ca_bundle"]]


@pytest.mark.usefixtures("up")
def test_up_refuses_a_name_that_is_taken() -> None:
    done = run("up", NAME)
    assert (done.code, done.stderr.count("error: ")) == (1, 1), done
    assert f"a cluster '{NAME}' exists already" in done.stderr


def test_up_refuses_what_is_no_name() -> None:
    done = run("up", "No Name")
    assert (done.code, "'No Name' cannot name a cluster" in done.stderr) == (1, True), done


def test_status_shows_both_clusters(beside: Access, cluster: Access) -> None:
    done = run("status")
    shown = [
        one.name for one in (beside, cluster) if re.search(rf"^{one.name}: up, ", done.stdout, re.MULTILINE)
    ]
    assert (done.code, shown) == (0, [beside.name, cluster.name]), done


def test_status_says_that_no_cluster_runs(tmp_path: Path) -> None:
    done = run("status", environ={"XDG_CACHE_HOME": str(tmp_path)})
    assert (done.code, done.stdout) == (3, "no cluster is running\n")


def test_kubectl_asks_the_cluster_that_is_named(beside: Access) -> None:
    done = run("kubectl", "--cluster", beside.name, "--", "get", "nodes", "--output=json")
    assert [node["metadata"]["name"] for node in json.loads(done.stdout)["items"]] == ["n1"]


def test_kubectl_ends_as_kubectl_does(beside: Access) -> None:
    done = run("kubectl", "--cluster", beside.name, "--", "get", "node", "n2")
    assert (done.code, "not found" in done.stderr) == (1, True), done


def test_without_a_name_no_cluster_of_a_run_is_meant(beside: Access) -> None:
    done = run("kubectl", "--", "config", "view", "--output=jsonpath={.clusters[*].cluster.server}")
    # Whoever runs the tests may have a cluster up as well, and is then asked which one is meant.
    meant = done.stdout == f"https://{beside.inventory['ingress_address']}:6443"
    assert meant or "name the cluster: running are " in done.stderr, done


def test_down_refuses_a_cluster_that_is_not_there() -> None:
    done = run("down", "test-nobody")
    assert (done.code, "there is no cluster test-nobody: running are " in done.stderr) == (1, True), done


def test_up_refuses_a_directory_without_recipes(tmp_path: Path) -> None:
    done = run("up", "--recipes", str(tmp_path))
    assert (done.code, "holds no recipe of an image" in done.stderr) == (2, True), done


def test_sweep_says_that_nothing_was_left(tmp_path: Path) -> None:
    done = run("sweep", environ={"XDG_CACHE_HOME": str(tmp_path)})
    assert (done.code, done.stdout) == (0, "nothing was left of any cluster\n")


def test_sweep_leaves_living_clusters_alone(beside: Access) -> None:
    run("sweep")
    assert named(beside.name) is not None


def test_each_cluster_has_an_address_of_its_own(beside: Access, cluster: Access) -> None:
    assert beside.inventory["ingress_address"] != cluster.inventory["ingress_address"]


def test_both_clusters_have_the_same_addresses_inside(beside: Access, cluster: Access) -> None:
    services = [
        Kube(one.kubeconfig, one.context).get("Service", "kube-dns", "kube-system")
        for one in (beside, cluster)
    ]
    assert [one and one["spec"]["clusterIP"] for one in services] == ["10.96.0.10"] * 2


def test_both_clusters_run_pods_of_the_same_name(beside: Access, cluster: Access) -> None:
    seen = []
    for one in (beside, cluster):
        place = Place(Kube(one.kubeconfig, one.context), "same", one.inventory["vantage_image"])
        place.open({})
        place.service("web", "web")
        place.pod("web", ["serve"], labels={"app": "web"}, spec={"hostname": one.name})
        place.ready("web")
        seen.append(place.run_until("web", "get", "http://web.same/").stdout.split()[-1])
        place.close()
    assert seen == [beside.name, cluster.name]


def test_a_cluster_without_work_holds_at_most_a_gigabyte(beside: Access) -> None:
    living = named(beside.name)
    assert living is not None
    held = memory.held_by(one.pid for one in Traces.of(living).processes)
    assert held <= GB, f"promised: at most 1.0 GB; seen: {held / GB:.2f} GB"
