"""The kubeconfig that the options name: a file, or what a pod has of its own cluster."""

import os
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from apiserver import in_cluster
from apiserver.errors import UnusableError
from apiserver.in_cluster import IN_CLUSTER

_A_KUBECONFIG: Final = "give a file with which `kubectl --kubeconfig FILE get nodes` works"


def path_of_kubeconfig(given: str | None) -> Path | None:
    """Return the file that is meant; a pod's own cluster has no file, and gets one; raises `pytest.UsageError`."""
    if given != IN_CLUSTER:
        return Path(given).expanduser().absolute() if given else None
    try:
        return in_cluster.kubeconfig(os.environ)
    except UnusableError as error:
        raise pytest.UsageError(f"--kubeconfig {IN_CLUSTER}: {error}") from None


def complaints_about_kubeconfigs(
    file: Path | None, context: str | None, others: Path | None, provider: str
) -> list[str]:
    """Name what is wrong with the kubeconfig of the run and with that of the `others` whom scenarios play."""
    wrong = complaints_about_kubeconfig(file, context) if file else []
    if others is None:
        return wrong
    if provider == "embedded":
        return [
            *wrong,
            "--platform-kubeconfig is for a cluster of yours: the embedded one has an administrator",
        ]
    return wrong + complaints_about_kubeconfig(others, None, "--platform-kubeconfig")


def complaints_about_kubeconfig(file: Path, context: str | None, option: str = "--kubeconfig") -> list[str]:
    """Name what is wrong with a file and a context of it, each with its remedy."""
    try:
        content: Any = yaml.safe_load(file.read_text())
    except (OSError, UnicodeDecodeError) as error:
        return [
            f"{option} {file}: cannot be read ({getattr(error, 'strerror', None) or 'not text'}); {_A_KUBECONFIG}"
        ]
    except yaml.YAMLError:
        return [f"{option} {file}: is not YAML; {_A_KUBECONFIG}"]
    if not isinstance(content, dict) or not content.get("clusters"):
        return [f"{option} {file}: names no cluster; {_A_KUBECONFIG}"]
    names = [str(one.get("name")) for one in content.get("contexts") or [] if isinstance(one, dict)]
    wanted = context or content.get("current-context")
    if not wanted:
        return [f"{option} {file}: has no current context; add --context, one of: {', '.join(names)}"]
    if wanted not in names:
        return [f"{option} {file}: has no context {wanted!r}; it has: {', '.join(names) or 'none'}"]
    return []
