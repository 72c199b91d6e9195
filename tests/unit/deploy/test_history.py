"""The history tells what was live, by whom and what changed; it is bounded, and holds no secret."""

from __future__ import annotations

import base64
import itertools
import json
from typing import TYPE_CHECKING, Any, cast

import pytest
from pydantic import SecretStr

from support.commands.history import lines
from support.deploy import history
from support.deploy.history import NoRevisionError
from support.deploy.last_live import unpacked
from support.deploy.live import Live
from support.kube.errors import ApiError
from support.release.catalogue import load
from support.release.place import Place
from support.release.render import render
from tests.samples import TLS, TOKEN, inventory

if TYPE_CHECKING:
    from pathlib import Path

    from support.kube.client import Kube
    from support.kube.objects import Object


class Cluster:
    """Keeps the record of the last live release, and does not say who asks."""

    def __init__(self) -> None:
        self.record: Object = {"data": {}}

    def get(self, *_: str) -> Object:
        return self.record

    def patch(self, _kind: str, _name: str, _namespace: str, merge: Object) -> None:
        self.record["data"].update(merge["data"])

    def create(self, _review: Object) -> Object:
        raise ApiError(404, "NotFound", "an old cluster")


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


def live(cluster: Cluster, directory: Path, *changes: str, token: str = TOKEN) -> Live:
    """Return a release as it lives on the cluster."""
    release, place = load("gateway", changes), Place("chroma", "chroma.example.com")
    platform = inventory(directory, token)
    kube = cast("Kube", cluster)
    return Live(kube, platform, place, release, render(release, platform, place, TLS), SecretStr(token))


def recalled(cluster: Cluster) -> list[history.Revision]:
    return history.recall(cast("Kube", cluster), "chroma")


def test_what_changed_is_told(cluster: Cluster, tmp_path: Path) -> None:
    first, second = live(cluster, tmp_path), live(cluster, tmp_path, "chroma.memory=3Gi", token=TOKEN[::-1])
    history.note(None, first)
    history.note(first, second)
    one, two = recalled(cluster)
    assert (one.number, one.changed, two.number) == (1, (), 2)
    assert two.changed[0] == "the token"
    assert any("resources.limits.memory: 2Gi -> 3Gi" in each for each in two.changed)
    assert two.release() == second.release
    assert any("2Gi -> 3Gi" in line for line in lines([one, two]))


def test_what_is_the_same_is_no_revision(cluster: Cluster, tmp_path: Path) -> None:
    history.note(None, live(cluster, tmp_path))
    history.note(live(cluster, tmp_path), live(cluster, tmp_path))
    assert len(recalled(cluster)) == 1


def test_no_token_lies_in_it(cluster: Cluster, tmp_path: Path) -> None:
    history.note(None, live(cluster, tmp_path))
    history.note(live(cluster, tmp_path), live(cluster, tmp_path, token=TOKEN[::-1]))
    text = json.dumps(unpacked(cluster.record["data"]["history.json.gz"]))
    for token in (TOKEN, TOKEN[::-1]):
        assert token not in text
        assert base64.b64encode(token.encode()).decode() not in text


def test_it_is_bounded_and_counts_on(cluster: Cluster, tmp_path: Path) -> None:
    sizes = [live(cluster, tmp_path, f"claim.size={size}Gi") for size in range(10, 35)]
    history.note(None, sizes[0])
    for former, now in itertools.pairwise(sizes):
        history.note(former, now)
    assert [one.number for one in recalled(cluster)] == list(range(6, 26))


def test_a_revision_that_is_not_there_is_told(cluster: Cluster, tmp_path: Path) -> None:
    with pytest.raises(NoRevisionError, match="none is recorded there"):
        history.revision(cast("Kube", cluster), "chroma", 1)
    history.note(None, live(cluster, tmp_path))
    with pytest.raises(NoRevisionError, match="there are 1; `--history` shows them"):
        history.revision(cast("Kube", cluster), "chroma", 2)


def test_a_revision_of_another_version_of_the_suite_is_told(cluster: Cluster, tmp_path: Path) -> None:
    history.note(None, live(cluster, tmp_path))
    (one,) = recalled(cluster)
    stated: dict[str, Any] = {**one.stated, "unheard_of": 1}
    with pytest.raises(NoRevisionError, match="another version of the suite"):
        history.Revision(1, one.at, one.who, one.images, one.changed, stated).release()
