"""A claim is bound, holds exactly what it asked for, outlives its pods, grows in use, and is given back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from support.kube.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from cluster.layout import Layout
    from cluster.provider import Access
    from support.kube.objects import Object
    from tests.live.cluster.place import Place, Ran

MIB = 1 << 20
SIZE = 16 * MIB
# What of a claim the file system may take for directories and inodes.
SLACK = MIB


@pytest.fixture
def own(place: Place) -> Place:
    """A namespace of one test with a claim of 16 MiB, `data`, in use by the pod `keeper`."""
    place.claim("data", "16Mi")
    place.keeper("keeper")
    return place


@pytest.fixture(scope="module")
def kept(opened: Callable[..., AbstractContextManager[Place]]) -> Iterator[Place]:
    """The same for tests that change neither claim nor pod."""
    with opened() as place:
        place.claim("data", "16Mi")
        place.keeper("keeper")
        yield place


def the_volume(place: Place) -> Object:
    """Give the volume that the claim is bound to."""
    claim = place.kube.get("PersistentVolumeClaim", "data", place.name)
    assert claim is not None
    volume = place.kube.get("PersistentVolume", claim["spec"]["volumeName"])
    assert volume is not None
    return volume


def written(ran: Ran) -> int:
    """Tell how many bytes the probe could write until the disk was full."""
    found = re.fullmatch(r"wrote (\d+) bytes: .*no space left on device.*\n", ran.stdout, re.DOTALL)
    assert found, f"promised: a full disk; seen: {ran}"
    return int(found[1])


def files_of(files: Layout, volume: Object) -> list[Path]:
    return list(files.volumes.glob(f"*{volume['metadata']['name']}*"))


def test_a_claim_is_bound_once_a_pod_wants_it(kept: Place, cluster: Access) -> None:
    volume = the_volume(kept)
    assert (volume["status"]["phase"], volume["spec"]["storageClassName"]) == (
        "Bound",
        cluster.inventory["storage_class_name"],
    )


def test_a_claim_that_nobody_wants_waits(place: Place) -> None:
    place.claim("data", "16Mi")
    event = place.until(
        "Event",
        "data",
        lambda _: next(iter(place.kube.list("Event", place.name)), None),
        "a word on why the claim waits",
    )
    claim = place.kube.get("PersistentVolumeClaim", "data", place.name)
    assert claim is not None
    assert (event["reason"], claim["status"]["phase"]) == ("WaitForFirstConsumer", "Pending")


def test_a_claim_fills_up_at_its_size_and_no_further(kept: Place) -> None:
    room = written(kept.run("keeper", "fill", "/data/file", str(2 * SIZE)))
    assert SIZE - SLACK <= room <= SIZE


def test_what_is_kept_survives_its_pod(own: Place) -> None:
    own.run("keeper", "fill", "/data/file", "1000")
    own.kube.delete("Pod", "keeper", own.name, grace=0)
    own.gone("Pod", "keeper")
    own.keeper("heir")
    # The bytes that the probe writes.
    assert own.run("heir", "find", "/data", "\x07&Ed").stdout == "/data/file\n"


def test_a_claim_grows_while_it_is_in_use(own: Place) -> None:
    before = written(own.run("keeper", "fill", "/data/file", str(2 * SIZE)))
    larger = {"spec": {"resources": {"requests": {"storage": "32Mi"}}}}
    own.kube.patch("PersistentVolumeClaim", "data", own.name, larger)
    own.until(
        "PersistentVolumeClaim",
        "data",
        lambda claim: claim["status"]["capacity"]["storage"] == "32Mi",
        "a claim of 32 MiB",
    )
    after = before + written(own.run("keeper", "fill", "/data/more", str(2 * SIZE)))
    assert 2 * SIZE - SLACK <= after <= 2 * SIZE


def test_a_claim_does_not_shrink(kept: Place) -> None:
    smaller = {"spec": {"resources": {"requests": {"storage": "8Mi"}}}}
    with pytest.raises(ApiError, match="can not be less than"):
        kept.kube.patch("PersistentVolumeClaim", "data", kept.name, smaller)


def test_a_claim_that_is_given_up_leaves_nothing(own: Place, files: Layout) -> None:
    volume = the_volume(own)
    assert files_of(files, volume), "promised: a file for the volume"
    own.kube.delete("Pod", "keeper", own.name, grace=0)
    own.kube.delete("PersistentVolumeClaim", "data", own.name)
    own.gone("PersistentVolume", volume["metadata"]["name"])
    assert files_of(files, volume) == []
