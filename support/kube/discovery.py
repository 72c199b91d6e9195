"""What a namespace holds, of every kind that the cluster serves: found by the API server's own discovery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from support.kube.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.kube.objects import Object, Objects

    # A path below the API server's root and what to accept, to the answer; raises ApiError.
    Ask = Callable[[str, str], Object]

# What to ask for to get every resource that the cluster serves, and only the metadata of objects.
_DISCOVERY: Final = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_METADATA: Final = "application/json;g=meta.k8s.io;v=v1;as=PartialObjectMetadataList"
# HTTP statuses by which an API says that it has no such resource (any more), or none that can be listed.
_NOTHING_THERE: Final = {404, 405}
_FORBIDDEN: Final = 403


@dataclass(frozen=True)
class Contents:
    """What a namespace holds; `unseen` names the APIs that could not be looked into, as their APIService is named.

    `forbidden` names the resources that may not be listed, as rights on them are granted ("widgets.example.com").
    """

    objects: Objects
    unseen: tuple[str, ...]
    forbidden: tuple[str, ...] = ()


def contents(ask: Ask, namespace: str) -> Contents:
    """Return all that a namespace holds, as `Kube.everything` does."""
    found: Objects = []
    unseen: dict[str, None] = {}
    forbidden: list[str] = []
    for root in ("api", "apis"):
        for api, path, resources in _discovered(ask, root, unseen):
            for resource in resources:
                kind = resource["responseKind"]["kind"]
                where = f"{path}/namespaces/{namespace}/{resource['resource']}"
                try:
                    listed = _listed(ask, where, api, unseen)
                except ApiError as error:
                    if error.status != _FORBIDDEN:
                        raise
                    forbidden.append(f"{resource['resource']}.{api.partition('.')[2]}".rstrip("."))
                    continue
                found += [{"kind": kind, "metadata": item["metadata"]} for item in listed]
    return Contents(found, tuple(unseen), tuple(forbidden))


def _discovered(ask: Ask, root: str, unseen: dict[str, None]) -> Iterator[tuple[str, str, Objects]]:
    """Yield name, path and resources of each API below a root; one whose server is gone has none, and is unseen."""
    try:
        groups = ask(root, _DISCOVERY).get("items") or ()
    except ApiError as error:
        if error.unanswered:
            raise
        unseen[f"/{root}"] = None
        return
    for group in groups:
        name = group["metadata"].get("name", "")
        for version in group.get("versions", ())[:1]:
            api = ".".join(filter(None, (version["version"], name)))
            if "resources" not in version:
                unseen[api] = None
            yield (
                api,
                "/".join(filter(None, (root, name, version["version"]))),
                [one for one in version.get("resources") or () if _holds_objects(one)],
            )


def _listed(ask: Ask, path: str, api: str, unseen: dict[str, None]) -> Objects:
    """Return the metadata of what lies at a path; an API that does not answer is noted as unseen.

    Raises `ApiError` where nobody answers at all, or where the user may not look.
    """
    try:
        return list(ask(path, _METADATA).get("items") or ())
    except ApiError as error:
        if error.unanswered or error.status == _FORBIDDEN:
            raise
        if error.status not in _NOTHING_THERE:
            unseen[api] = None
        return []


def _holds_objects(resource: Object) -> bool:
    """Whether a resource is one of a namespace's that is stored there: what cannot be deleted is none."""
    kept = {"list", "delete"} <= set(resource.get("verbs") or ())
    return bool(
        kept and resource.get("scope") == "Namespaced" and resource["responseKind"]["kind"] != "Event"
    )
