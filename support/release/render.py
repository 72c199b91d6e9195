"""Turns a release into the objects that are applied, in the order of their creation."""

import hashlib
import json
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml

from support.core.merge_patch import merge
from support.core.templates import MANIFESTS, templates
from support.kube.labels import ownership
from support.platform.certificate import Tls
from support.release.place import Place

if TYPE_CHECKING:
    from collections.abc import Iterable

    from support.platform.inventory import Inventory
    from support.release.release import Release

VERSION = MANIFESTS.parent / "VERSION"


# One concern per template; what the pod needs comes before it.
ORDER = (
    "namespace",
    "secret-auth",
    "secret-tokens",
    "secret-tls",
    "secret-image-pull",
    "configmap-gateway",
    "claim",
    "service-headless",
    "service",
    "statefulset",
    "ingress",
    "route",
    "route-redirect",
    "configmap-discovery",
)

# Where a pod names what it reads: the field, the kind of object, and the field of its name.
_SOURCES = (
    ("configMap", "ConfigMap", "name"),
    ("secret", "Secret", "secretName"),
    ("secretKeyRef", "Secret", "name"),
)

# What the gateway reads besides its tokens and the origins that a release allows; these files hold no values of a release.
GATEWAY_FILES = ("haproxy.cfg", "refuse.lua")


def render(
    release: "Release", inventory: "Inventory", place: Place, tls: Tls, pull: str | None = None
) -> list[dict[str, Any]]:
    """Return the objects of a release; the same arguments always give the same objects.

    `pull` is what the nodes pull images with, in base64 (None: they pull without).
    """
    facts = {
        "release": release,
        "inventory": inventory,
        "place": place,
        "tls": tls,
        "pull": pull,
        "token": inventory.admin_password.get_secret_value().encode("ascii"),
        "images": f"{inventory.harbor_registry}/{inventory.library_project}",
        "ownership": ownership(place.run_id),
        "component_version": VERSION.read_text(encoding="utf-8").strip(),
        "gateway_files": {
            **{name: (MANIFESTS / "gateway" / name).read_text(encoding="utf-8") for name in GATEWAY_FILES},
            "origins.map": "".join(f"{origin} allowed\n" for origin in release.origins),
        },
    }
    documents = (yaml.safe_load(templates().get_template(f"{name}.yaml.j2").render(facts)) for name in ORDER)
    # A template whose object the release has no use for renders to nothing.
    return stamp(document for document in documents if document)


def stamp(objects: "Iterable[dict[str, Any]]") -> list[dict[str, Any]]:
    """Annotate the pod template with checksums of what its containers read, so that a change of it rolls the pod.

    HAProxy reads its configuration and the tokens only as it starts, and so does Chroma its environment.
    """
    listed = list(objects)
    return [merge(obj, _checksums(obj, listed)) if obj["kind"] == "StatefulSet" else obj for obj in listed]


def _checksums(statefulset: dict[str, Any], objects: list[dict[str, Any]]) -> dict[str, Any]:
    read = _read_by(statefulset["spec"]["template"]["spec"])
    checksums = {
        f"chroma-conformance/{obj['kind'].lower()}": _checksum(json.dumps(obj["data"], sort_keys=True))
        for obj in objects
        if (obj["kind"], obj["metadata"]["name"]) in read and "data" in obj
    }
    return {"spec": {"template": {"metadata": {"annotations": checksums}}}}


def _read_by(pod: dict[str, Any]) -> set[tuple[str, str]]:
    """Return kind and name of what a pod mounts or takes into its environment."""
    sources = [volume for volume in pod.get("volumes", []) if volume]
    sources += [
        variable["valueFrom"]
        for container in pod["containers"]
        for variable in container.get("env", [])
        if "valueFrom" in variable
    ]
    return {
        (kind, source[field][name])
        for source in sources
        for field, kind, name in _SOURCES
        if name in source.get(field, {})
    }


@cache
def _checksum(text: str) -> str:
    """Return a checksum from which nobody guesses the token: it takes 50 ms, and who reads pods sees it."""
    return hashlib.scrypt(text.encode(), salt=b"chroma-conformance", n=2**14, r=8, p=1, dklen=16).hex()
