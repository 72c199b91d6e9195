"""Says whether a fault fits a release, before anything is booted or applied."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import SecretStr

from support.platform.certificate import Tls
from support.platform.inventory import Inventory
from support.release.catalogue import load, names
from support.release.faults import FaultError
from support.release.place import Place
from support.release.render import render

if TYPE_CHECKING:
    from support.release.faults import Fault
    from support.release.release import Release

# What a release consists of hangs on its file alone, so any platform will do: this one is nobody's.
_PLATFORM: Final = Inventory.model_construct(
    domain_name="example.com",
    admin_username="tkadmin",
    primary_ingress_class="nginx",
    kubeconfig=Path("kubeconfig"),
    admin_password=SecretStr("a-token-of-nobody"),
    harbor_registry="harbor.example.com",
    vantage_image="probe:1",
)
_PLACE: Final = Place("chroma", "chroma.example.com")


def incompatibility(fault: Fault, release: Release) -> str | None:
    """Say why a release cannot be spoiled by a fault, and which can; None where it can."""
    if fault.release not in {None, release.name}:
        return f"fault {fault.name!r} spoils another release: add --release {fault.release}"
    if (incompatible := _incompatibility(fault, release)) is None:
        return None
    others = [name for name in names() if _incompatibility(fault, load(name)) is None]
    remedy = (
        f"it fits --release {' or '.join(others)}"
        if others
        else "mend its file: manifests/faults/README.md describes it"
    )
    return f"fault {fault.name!r} does not fit the release {release.name!r}; {remedy}\n  ({incompatible})"


def _incompatibility(fault: Fault, release: Release) -> FaultError | None:
    try:
        platform = _PLATFORM.model_copy(update={"exposure": fault.exposure})
        fault.spoil(render(release, platform, _PLACE, Tls(b"", b"")))
    except FaultError as error:
        return error
    return None
