"""A release is heard at the addresses that pods have, or a line says that it would not be, before it is deployed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.release.catalogue import load
from support.release.place import Place, unheard
from support.release.render import render
from tests.samples import TLS, inventory

if TYPE_CHECKING:
    from pathlib import Path

IPV6 = {"ipv6_pods": True}


def test_a_chroma_that_listens_on_ipv4_alone_is_told_where_pods_have_ipv6() -> None:
    (line,) = unheard(load("native"), IPV6)
    assert line.startswith(
        "release native: its Chroma listens on IPv4 alone, and pods have addresses of IPv6"
    )
    assert unheard(load("native"), {}) == unheard(load("native"), {"ipv6_pods": False}) == []


def test_one_with_a_gateway_or_arguments_of_its_own_is_not_spoken_of() -> None:
    native = load("native")
    listening = native.model_copy(
        update={"chroma": native.chroma.model_copy(update={"arguments": ("--host", "::", "--port", "8000")})}
    )
    assert unheard(load("gateway"), IPV6) == unheard(listening, IPV6) == []


@pytest.mark.parametrize("have", [True, False])
def test_the_gateway_listens_on_ipv6_only_where_pods_have_it(tmp_path: Path, *, have: bool) -> None:
    platform = inventory(tmp_path).model_copy(update={"ipv6_pods": have})
    objects = render(load("gateway"), platform, Place("chroma", "chroma.example.com"), TLS)
    (workload,) = [one for one in objects if one["kind"] == "StatefulSet"]
    (gateway,) = workload["spec"]["template"]["spec"]["initContainers"]
    told = {variable["name"]: variable["value"] for variable in gateway.get("env", [])}
    assert told.get("GATEWAY_LISTENS_ON_IPV6") == ("true" if have else None)
