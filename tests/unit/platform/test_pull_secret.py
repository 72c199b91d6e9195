"""What nodes pull images with is copied from the platform's Secret into whatever pulls from its registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from support.core.component import PULL_SECRET
from support.platform.pull_secret import KIND, copy_of, flaw_of, platform_pull_secret
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
    assert platform_pull_secret(cast("Any", None), inventory(tmp_path)) is None
    objects = render(load("gateway"), inventory(tmp_path), Place("chroma", "chroma.example.com"), TLS)
    assert PULL_SECRET not in str(objects)


def test_the_platforms_secret_is_read_where_the_certificate_lies(tmp_path: Path) -> None:
    named = inventory(tmp_path).model_copy(update={"image_pull_secret": "registry"})
    assert platform_pull_secret(cast("Any", Cluster(SECRET)), named) == "e30="
    with pytest.raises(LookupError, match="Secret default/registry is missing"):
        platform_pull_secret(cast("Any", Cluster(None)), named)


def test_a_secret_of_another_type_is_no_use() -> None:
    assert flaw_of(SECRET, "default", "registry") == ""
    assert flaw_of({"type": "Opaque"}, "default", "registry") == (
        f"Secret default/registry is of type Opaque, not {KIND}"
    )
