"""What nodes pull images with is copied from the platform's Secret into whatever pulls from its registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from support.core.component import PULL_SECRET
from support.platform import rights
from support.platform.pull_secret import (
    KIND,
    PullSecret,
    copy_of,
    flaw_of,
    needed,
    platform_pull_secret,
    stated_pull_secret,
)
from support.release.catalogue import load
from support.release.place import Place
from support.release.render import render
from tests.samples import TLS, inventory, validate

if TYPE_CHECKING:
    from pathlib import Path

SECRET = {"kind": "Secret", "type": KIND, "data": {".dockerconfigjson": "e30="}}


class Cluster:
    """A cluster that has one Secret, or none."""

    def __init__(self, secret: dict[str, Any] | None) -> None:
        self.secret = secret

    def get(self, kind: str, name: str, namespace: str) -> dict[str, Any] | None:
        assert (kind, name, namespace) == ("Secret", "registry", "default")
        return self.secret


def test_a_release_pulls_with_a_copy(tmp_path: Path) -> None:
    objects = render(load("gateway"), inventory(tmp_path), Place("chroma", "chroma.example.com"), TLS, "e30=")
    validate(objects)
    (secret,) = [obj for obj in objects if obj["metadata"]["name"] == PULL_SECRET]
    assert secret == copy_of("e30=", "chroma", None)
    (pod,) = [obj["spec"]["template"]["spec"] for obj in objects if obj["kind"] == "StatefulSet"]
    assert pod["imagePullSecrets"] == [{"name": PULL_SECRET}]


def test_where_none_is_named_nothing_is_asked_and_nothing_pulls_with_one(tmp_path: Path) -> None:
    assert platform_pull_secret(inventory(tmp_path)) is None
    objects = render(load("gateway"), inventory(tmp_path), Place("chroma", "chroma.example.com"), TLS)
    assert PULL_SECRET not in str(objects)


def test_the_platforms_secret_is_read_where_the_certificate_lies(tmp_path: Path) -> None:
    named = inventory(tmp_path).model_copy(update={"image_pull_secret": "registry"})
    place = platform_pull_secret(named)
    assert place == PullSecret("default", "registry")
    assert place.read(cast("Any", Cluster(SECRET))) == "e30="
    with pytest.raises(LookupError, match="Secret default/registry is missing"):
        place.read(cast("Any", Cluster(None)))


@pytest.mark.parametrize(
    ("deploys", "vantage", "places"),
    [
        (True, "", ["default"]),
        (True, "chroma-conformance", ["default", "chroma-conformance"]),
        (True, "default", ["default"]),
        (False, "", ["default"]),
        (False, "chroma-conformance", ["chroma-conformance"]),
        (False, None, []),
    ],
)
def test_it_has_to_be_where_it_is_copied_from_and_beside_a_vantage_that_is_given_its_place(
    deploys: bool, vantage: str | None, places: list[str]
) -> None:
    source = PullSecret("default", "registry")
    found = needed(source, deploys=deploys, vantage=vantage)
    assert list(found) == [PullSecret(place, "registry") for place in places]


def test_without_its_place_it_is_not_stated() -> None:
    assert stated_pull_secret({"image_pull_secret": "registry"}) is None


def test_a_secret_of_another_type_is_no_use() -> None:
    place = PullSecret("default", "registry")
    assert flaw_of(SECRET, place) == ""
    assert flaw_of({"type": "Opaque"}, place) == (f"Secret default/registry is of type Opaque, not {KIND}")


def test_who_deploys_may_change_the_copy_and_not_the_platforms_own() -> None:
    stated = {"domain_name": "example.com", "image_pull_secret": "registry"}
    granted = rights.needed(rights.DEPLOY, stated)
    changed = {one.name for one in granted if (one.verb, one.resource) == ("patch", "secrets")}
    assert PULL_SECRET in changed
    assert "registry" not in changed


def test_who_verifies_may_see_the_one_beside_the_vantage_alone() -> None:
    stated = {"domain_name": "example.com", "image_pull_secret": "registry"}
    granted = rights.needed(rights.Asked("verify", "chroma", "nightly"), stated)
    assert {one.namespace for one in granted if one.name == "registry"} == {"nightly"}
