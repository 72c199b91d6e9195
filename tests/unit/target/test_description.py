"""What is wrong with a target's file is said in words, all at once; what is right stands in its schema."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from support.target.description import FIND_OUT, Description, TargetError, read

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[3]
SMALLEST: dict[str, Any] = {
    "namespace": "notes",
    "workload": {"kind": "Deployment", "name": "notes"},
    "services": [{"name": "notes", "port": 80}],
}


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Description]:
    def load(platform: dict[str, Any] | None = None, **stated: Any) -> Description:
        file = tmp_path / "target.yaml"
        file.write_text(yaml.safe_dump({**SMALLEST, **stated}))
        return read(file, platform or {})

    return load


def test_little_has_to_be_stated(load: Callable[..., Description]) -> None:
    found = load()
    assert (found.version, found.url, found.token) == (FIND_OUT, "", None)
    assert (found.tenant, found.database) == ("default_tenant", "default_database")


def test_an_inventory_gives_what_the_file_leaves_out(load: Callable[..., Description]) -> None:
    platform = {
        "vantage_image": "registry.example.com/probe:1",
        "ingress_address": "192.0.2.1",
        "domain_name": "x",
    }
    assert load(platform).vantage_image == "registry.example.com/probe:1"
    assert load(platform, ingress_address="192.0.2.2").ingress_address == "192.0.2.2"


def test_what_is_pulled_with_lies_beside_the_workload_and_that_of_an_inventory_beside_the_certificate(
    load: Callable[..., Description],
) -> None:
    assert load().pull_secret is None
    assert str(load(image_pull_secret="own").pull_secret) == "Secret notes/own"
    platform = {"image_pull_secret": "registry", "certificate_namespace": "tls"}
    assert str(load(platform).pull_secret) == "Secret tls/registry"
    assert str(load(platform, image_pull_secret="own").pull_secret) == "Secret notes/own"


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ({"namespce": "x"}, "namespce: unknown; did you mean namespace?"),
        ({"workload": {"kind": "Deployment", "nam": "x"}}, "workload.nam: unknown; did you mean name?"),
        (
            {"workload": {"kind": "DaemonSet", "name": "x"}},
            "workload.kind: Input should be 'Deployment' or 'StatefulSet'",
        ),
        ({"services": []}, "services: is empty: give one that leads to the workload"),
        ({"services": [{"name": "x", "prt": 1}]}, "services.0.prt: unknown; did you mean port?"),
        (
            {"services": [{"name": "x", "port": 70000}]},
            "services.0.port: is no port: give a number from 1 to 65535",
        ),
        ({"url": "chroma.example.com"}, "url: give the scheme, the host"),
        ({"url": "https://chroma.example.com/api"}, "url: give the scheme, the host"),
        ({"token": {"secret": "x"}}, "token: give a secret with its key, or an environment variable"),
        ({"token": {"secret": "x", "key": "y", "environment": "Z"}}, "token: give a secret with its key, or"),
        ({"token": {"environment": "Z", "header": "X Token"}}, "token.header: "),
        ({"version": 1.5}, "version: give a version such as 1.5.9, or leave it out to find out"),
        ({"ca_bundle": "nowhere.pem"}, "nowhere.pem: No such file or directory"),
    ],
    ids=str,
)
def test_what_is_wrong_is_told_in_a_line(
    load: Callable[..., Description], stated: dict[str, Any], told: str
) -> None:
    with pytest.raises(TargetError) as caught:
        load(**stated)
    assert told in str(caught.value)
    assert str(caught.value).count("\n") == (
        len(caught.value.problems) if len(caught.value.problems) > 1 else 0
    )


def test_everything_is_told_at_once(load: Callable[..., Description]) -> None:
    with pytest.raises(TargetError) as caught:
        load(namespace="No Name", url="nonsense", version="old")
    assert len(caught.value.problems) == 3


def test_a_path_is_relative_to_the_file(load: Callable[..., Description], tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=str(tmp_path / "authority.pem")):
        load(ca_bundle="authority.pem")


@pytest.mark.parametrize(("text", "told"), [("a: [", "is not YAML"), ("- a", "must be a mapping")])
def test_what_is_no_file_of_a_target_is_told(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "target.yaml"
    file.write_text(text)
    with pytest.raises(TargetError, match=f"target.yaml cannot be used: {told}"):
        read(file, {})
