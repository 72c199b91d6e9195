"""Writes the Job or CronJob in which a cluster runs the suite, with the inventory that it reads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import yaml

from support.core.templates import templates
from support.jobs.files import BACKUPS, MOUNTED, JobError, taken_along
from support.kube.labels import OWNED
from support.platform.rights import DEPLOY, HOME
from support.release.render import VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from support.kube.objects import Object

NAME: Final = HOME
"""The namespace of the suite's Jobs, and how their names begin."""
TOKEN: Final = "chroma-conformance-token"  # noqa: S105 - a name
"""The Secret in that namespace whose ADMIN_PASSWORD is the token."""
INVENTORY: Final = "chroma-conformance-inventory"
_DURATIONS: Final = "durations.yaml"
# Seconds that a run has where no limit is given, and those that its clean-up and its reports may take beyond.
_USUAL_LIMIT: Final = 3 * 3600
_CLEAN_UP: Final = 600
_CRON: Final = re.compile(r"@(yearly|annually|monthly|weekly|daily|midnight|hourly)|\S+( +\S+){4}")
# A ConfigMap of a cluster holds no more.
MOST_SHARDS: Final = 64


@dataclass(frozen=True)
class Wanted:
    """What a Job is to be.

    `inventory` and `target` are the files that it takes along, `arguments` the others of the run in it; `schedule` is a CronJob's, in UTC, empty for a single Job; `shards` is 0 where
    one pod runs all; `limit` is the run's own, in seconds; `claim` names a claim for the reports, where there is one.
    `seconds` say how long each feature takes, where the shards are not to go by the suite's own table. `mode` is that of
    the run, under whose account and rights it has its pod. `command` is what is carried out instead of a run, "" for none, and
    `backup_claim` the claim that is copied to or from.
    """

    run_id: str
    namespace: str
    inventory: Path | None
    arguments: Sequence[str]
    target: Path | None = None
    image: str = ""
    schedule: str = ""
    shards: int = 0
    limit: float | None = None
    claim: str = ""
    seconds: Mapping[str, float] | None = None
    mode: str = DEPLOY.mode
    command: str = ""
    backup_claim: str = ""


def objects(wanted: Wanted) -> list[Object]:
    """Return the objects to apply, in their order; raises `JobError`, and `TargetError` of a target that is wrong."""
    if wanted.schedule and not _CRON.fullmatch(wanted.schedule):
        raise JobError(
            f'--schedule "{wanted.schedule}": give five fields as cron has them, such as "0 3 * * *"'
        )
    along = taken_along(wanted.inventory, wanted.target, TOKEN)
    files = dict(along.files)
    if wanted.seconds is not None:
        files[_DURATIONS] = yaml.safe_dump(dict(wanted.seconds))
    limit = wanted.limit or _USUAL_LIMIT
    what = f"{NAME}-{wanted.command}" if wanted.command else NAME
    name = what if wanted.schedule else f"{what}-{wanted.run_id}"
    of_the_run = [
        *("--report-dir", "/reports", "--report-configmap"),
        "$(JOB_NAME)-$(JOB_COMPLETION_INDEX)" if wanted.shards else "$(JOB_NAME)",
        *(() if wanted.limit else ("--time-limit", str(limit))),
        *(("--shard", f"job/{wanted.shards}") if wanted.shards else ()),
        *(("--shard-by", f"{MOUNTED}/{_DURATIONS}") if wanted.seconds is not None else ()),
    ]
    arguments = [
        *("--kubeconfig", "in-cluster", *along.options),
        *(() if wanted.command else of_the_run),
        *(one.replace("$(", "$$(") for one in wanted.arguments),
    ]
    facts = {
        "name": name,
        "namespace": wanted.namespace,
        "labels": OWNED | {"app.kubernetes.io/name": NAME},
        "mode": wanted.mode,
        "secret": TOKEN,
        "inventory": INVENTORY,
        "files": files,
        "image": wanted.image or _usual_image(along.stated, wanted.inventory),
        "pull_secrets": along.pull_secrets,
        "arguments": arguments,
        "shards": wanted.shards,
        "deadline": round(limit + _CLEAN_UP),
        "claim": wanted.claim,
        "backup_claim": wanted.backup_claim,
        "backups": BACKUPS,
        "schedule": wanted.schedule,
    }
    job = _rendered("job", facts)
    if wanted.schedule:
        job = _rendered("cronjob", facts | {"job": job["spec"]})
    return [_rendered("inventory", facts), job]


def _usual_image(stated: Mapping[str, Any], file: Path | None) -> str:
    if file is None:
        raise JobError(
            "--job needs --image NAME, where no --inventory FILE names the registry that holds the suite's image"
        )
    if not (registry := stated.get("harbor_registry")):
        raise JobError(f"{file} names no harbor_registry: add it, or name the suite's image with --image")
    version = VERSION.read_text(encoding="utf-8").strip()
    return f"{registry}/{stated.get('library_project', 'library')}/{NAME}:{version}"


def _rendered(name: str, facts: Mapping[str, Any]) -> Any:
    return yaml.safe_load(templates().get_template(f"suite/{name}.yaml.j2").render(facts))
