"""Chooses where a cluster comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cluster.access import Access, Account, Provider
from cluster.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

__all__ = ["Access", "Account", "ClusterError", "Provider", "provider_for"]


def provider_for(
    kind: str,
    *,
    kubeconfig: Path | None,
    context: str | None,
    recipes: Path,
    progress: Callable[[str], None],
    patience: float = 1.0,
    images: Collection[str] = (),
    gateway_api: bool = False,
    account: Account | None = None,
) -> Provider:
    """Choose a provider: embedded, external, or auto, which is external when a kubeconfig is named.

    A cluster that merely happens to be the current context is never used. `recipes` is a directory of
    image recipes for the registry of an embedded cluster; of those that are made on request only, it makes
    what `images` name, such as `chroma:0.5.23`. `progress` hears of each step; an embedded cluster gets
    `patience` times the usual time for each step of its boot, or for an answer of a cluster that is there, and is used
    as an `account` that is made on it. With `gateway_api` an embedded cluster has a Gateway beside its ingress.
    """
    # Each brings imports that the other can do without.
    if kind == "external" or (kind == "auto" and kubeconfig is not None):
        from cluster.external import ExternalProvider  # noqa: PLC0415 - see above

        return ExternalProvider(kubeconfig, context, patience)
    if kind not in {"auto", "embedded"}:
        raise ClusterError(f"there is no provider {kind!r}: choose auto, embedded or external")
    if kubeconfig is not None:
        raise ClusterError("the embedded cluster brings its own kubeconfig: leave it out, or choose external")
    try:
        from cluster.embedded import EmbeddedProvider  # noqa: PLC0415 - see above
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("cluster."):
            raise
        raise ClusterError(
            "this installation boots no cluster: name one with --kubeconfig FILE, or its own with --kubeconfig in-cluster"
        ) from None

    return EmbeddedProvider(
        recipes, progress, patience=patience, images=images, gateway_api=gateway_api, account=account
    )
