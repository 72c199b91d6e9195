"""The definitions of the Gateway API, from the Go module in which its makers release them."""

from __future__ import annotations

import json
import tempfile
import zipfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from cluster.build.downloads import fetch_module
from cluster.build.programs import ensure_go

if TYPE_CHECKING:
    from cluster.build.cache import Store

MODULE: Final = "sigs.k8s.io/gateway-api"
# The version that Traefik's provider is made for (cluster/build/images/traefik.yaml, and its documentation).
VERSION: Final = "v1.6.1"
_SUM: Final = "h1:mock6phZbI6rvZerwrVNk7hVNymQgHo+6sJ81Ia7ftY="
# Every kind that Traefik watches: as long as one of them is not there, its provider serves none.
_KINDS: Final = (
    "backendtlspolicies",
    "gatewayclasses",
    "gateways",
    "grpcroutes",
    "httproutes",
    "referencegrants",
    "tlsroutes",
)
_FILE: Final = "definitions.json"
# Part of the key: raise it when the same module is to give another file.
_FORMAT: Final = 1


def is_there(store: Store) -> bool:
    """Whether the definitions are in the cache."""
    return store.has("gateway-api", _key())


def ensure_definitions(store: Store) -> Path:
    """Return the file that holds the CustomResourceDefinitions of the standard channel, as a JSON list.

    Without the descriptions of the fields, which are three quarters of them, and which the API server would
    have to read at each boot. Raises DownloadError.
    """
    place = store.entry(
        "gateway-api", _key(), f"the definitions of the Gateway API {VERSION}", partial(_build, store)
    )
    return place / _FILE


def _key() -> str:
    return json.dumps([_FORMAT, MODULE, VERSION, _SUM, _KINDS])


def _build(store: Store, into: Path) -> None:
    with tempfile.TemporaryDirectory(dir=into) as downloads:
        module = fetch_module(MODULE, VERSION, _SUM, ensure_go(store), Path(downloads))
        with zipfile.ZipFile(module) as archive:
            definitions = [_definition(archive, kind) for kind in _KINDS]
    (into / _FILE).write_text(json.dumps(definitions), encoding="utf-8")


def _definition(archive: zipfile.ZipFile, kind: str) -> Any:
    name = f"{MODULE}@{VERSION}/config/crd/standard/gateway.networking.k8s.io_{kind}.yaml"
    return _undescribed(yaml.load(archive.read(name), yaml.CSafeLoader))


def _undescribed(value: Any) -> Any:
    """Return a definition without its texts; a field that is called "description" is a mapping, and stays."""
    if isinstance(value, dict):
        return {
            key: _undescribed(inner)
            for key, inner in value.items()
            if not (key == "description" and isinstance(inner, str))
        }
    return [_undescribed(inner) for inner in value] if isinstance(value, list) else value
