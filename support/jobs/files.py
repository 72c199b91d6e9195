"""The files that a Job takes along in a ConfigMap: its inventory and its target, each with the authority that it names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import yaml

from support.core.errors import SuiteError
from support.core.validation import read_mapping
from support.target.description import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

MOUNTED: Final = "/etc/chroma-conformance"
"""Where they lie in the pod."""
BACKUPS: Final = "/backups"
"""Where the claim of the backups is mounted there."""
TOKEN_VARIABLE: Final = "ADMIN_PASSWORD"  # noqa: S105 - a name
"""The one variable of the environment that the pod has of the user's."""
# Which cluster it is, the pod knows.
_CLUSTER: Final = {"kubeconfig", "context"}


class JobError(SuiteError):
    """No Job can be written of what was asked for."""


@dataclass(frozen=True)
class Along:
    """The contents of `files` by their names, and the `options` by which the run in the Job is given them.

    `stated` are the inventory's values; `pull_secrets` the Secrets that nodes pull the images with, by their names alone:
    in the Job's namespace each has to be there.
    """

    files: dict[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    stated: Mapping[str, Any] = field(default_factory=dict)
    pull_secrets: tuple[str, ...] = ()


def taken_along(inventory: Path | None, target: Path | None, secret: str) -> Along:
    """Return what goes along; `secret` is what holds the token. Raises `JobError`, and `TargetError` of a wrong target."""
    files: dict[str, str] = {}
    options: list[str] = []
    stated: dict[str, Any] = {}
    pull_secrets: list[str | None] = []
    if inventory:
        stated = _stated("--inventory", inventory)
        if any(str(name).lower() == "admin_password" for name in stated):
            raise JobError(
                f"admin_password must not stand in {inventory}: the Job reads it from the Secret {secret}"
            )
        files |= _carried("--inventory", inventory, stated, "inventory.yaml", "authority.pem")
        options += ["--inventory", f"{MOUNTED}/inventory.yaml"]
        pull_secrets.append(stated.get("image_pull_secret"))
    if target:
        described = read(target, stated)
        variable = described.token.environment if described.token else None
        if variable and variable != TOKEN_VARIABLE:
            raise JobError(
                f"{target} takes the token from the variable {variable}, which a Job has not: name a Secret and its key there, "
                f"or {TOKEN_VARIABLE}, which the Job reads from the Secret {secret}"
            )
        files |= _carried(
            "--target", target, _stated("--target", target), "target.yaml", "target-authority.pem"
        )
        options += ["--target", f"{MOUNTED}/target.yaml"]
        pull_secrets.append(described.image_pull_secret)
    return Along(files, tuple(options), stated, _once(pull_secrets))


def _stated(option: str, file: Path) -> dict[str, Any]:
    try:
        return read_mapping(file)
    except ValueError as error:
        raise JobError(f"{option} {file} {error}") from None


def _carried(option: str, file: Path, stated: Mapping[str, Any], name: str, authority: str) -> dict[str, str]:
    """Return a file as it is mounted under its `name`, with the authority beside it that it names."""
    kept = {key: value for key, value in stated.items() if key not in _CLUSTER}
    files = {}
    if bundle := kept.get("ca_bundle"):
        try:
            files[authority] = (file.parent / bundle).expanduser().read_text(encoding="utf-8")
        except OSError as error:
            raise JobError(f"{option} {file}: its ca_bundle cannot be read: {error.strerror}") from None
        kept["ca_bundle"] = authority
    return {name: yaml.safe_dump(kept, sort_keys=False), **files}


def _once(names: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(one) for one in names if one))
