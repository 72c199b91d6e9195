"""Looks whether a live release was asked to tell its makers nothing of its use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from support.ways import POD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.namespace import Live

_CONTAINER: Final = "chroma"
# The documented value; 0.5.23 understands it in any case, and under this name alone (measured).
_OFF: Final = "FALSE"


def environment(live: Live) -> dict[str, str]:
    """Return the plain variables of Chroma's container, as the cluster runs it; a LookupError without a pod."""
    pod = live.namespace.kube.get("Pod", POD, live.namespace.name)
    if not pod:
        raise LookupError(f"there is no pod {live.namespace.name}/{POD}")
    return {
        variable["name"]: variable.get("value", "")
        for container in pod["spec"]["containers"]
        if container["name"] == _CONTAINER
        for variable in container.get("env", [])
    }


def assert_off(live: Live, variables: Mapping[str, str]) -> None:
    """Assert that telemetry is switched off by the variable that the release's version honours."""
    name = live.release.telemetry or ""
    found = ", ".join(f"{each}={value}" for each, value in variables.items() if "TELEMETRY" in each)
    assert variables.get(name) == _OFF, (
        f"telemetry is not switched off: {live.release.chroma.image} honours {name}={_OFF}, "
        f"and has {found or 'nothing of the kind'}"
    )
