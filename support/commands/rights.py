"""The command that prints the rights of the suite, for `kubectl apply -f -`: --rights."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from support.core.errors import SuiteError
from support.platform import rights
from support.platform.inventory import values_of

if TYPE_CHECKING:
    from support.commands.errand import Errand


class UnknownPlaceError(SuiteError):
    """Where a right is to be granted is not stated."""


def run(errand: Errand) -> int:
    """Print what gives the suite its rights in a mode, for a release in a namespace, as an inventory states the platform.

    Raises `UnknownPlaceError` where the inventory does not say what a right is limited to.
    """
    mode, release, file = (errand.option(name) for name in ("rights", "namespace", "inventory"))
    stated = values_of(Path(file).expanduser() if file else None, os.environ)
    if mode != rights.DEPLOY.mode and not stated.get("domain_name"):
        raise UnknownPlaceError(
            f"--rights {mode} grants the Secret of the platform's certificate by its name: "
            "give domain_name, by --inventory FILE or as DOMAIN_NAME in the environment"
        )
    suite = errand.option("job_namespace") or rights.HOME
    objects = rights.manifests(mode, rights.scope_of(release, stated, suite))
    errand.say(
        f"# What chroma-conformance may do in mode {mode}, for a release in {release}; why, manifests/suite/ says."
    )
    errand.say(rights.text(objects).rstrip())
    return 0
