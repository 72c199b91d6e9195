"""The options about the suite inside the cluster, and about shards of a run."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.jobs.files import BACKUPS
from support.jobs.shards import Shard, ShardError, read_seconds


def about_jobs(add: Callable[..., Any]) -> None:
    """Declare them."""
    add(
        "--job",
        action="store_const",
        const="",
        help="print a Job that runs the features inside the cluster with the other options given here, for kubectl apply -f -",
    )
    add("--schedule", metavar="CRON", help='print a CronJob instead, such as "0 3 * * *", in UTC')
    add("--shards", metavar="N", type=int, help="let the Job share the features among N pods")
    add(
        "--shard",
        metavar="I/N",
        help="run one of N shares of the features alone, such as 2/4; job/N: that of a pod of a Job",
    )
    add(
        "--shard-by",
        metavar="FILE",
        help="share by what features took in this conformance.json (default: a table of the suite's)",
    )
    add(
        "--merge",
        metavar="DIR",
        help="make one report of those of all shards, which lie below this directory, and end with their verdict",
    )
    add(
        "--collect",
        metavar="JOB",
        help="the same for the shards of a Job, from the ConfigMaps of its namespace",
    )
    add("--image", metavar="NAME", help="the suite's image (default: that of the inventory's registry)")
    add(
        "--job-namespace",
        metavar="NAME",
        help="the namespace of the Job and its account (default: chroma-conformance)",
    )
    add("--report-claim", metavar="NAME", help="a claim on which the Job keeps its reports as well")
    add(
        "--backup-claim",
        metavar="NAME",
        help=f"the claim that a Job has at {BACKUPS}, for --backup and --restore",
    )
    add(
        "--report-configmap",
        metavar="NAME",
        help="keep the report of this run in a ConfigMap as well, in the namespace of its pod",
    )


def shard_of(given: str | None) -> Shard | None:
    """Return the shard that is asked for; raises `pytest.UsageError`."""
    try:
        return Shard.parse(given, os.environ) if given else None
    except ShardError as error:
        raise pytest.UsageError(f"--shard {error}") from None


def complaints_about_shards(
    durations: Path | None, configmap: str | None, kubeconfig: Path | None
) -> list[str]:
    """Name what is wrong with what shards and reports of Jobs need."""
    wrong = []
    if configmap and kubeconfig is None:
        wrong.append(f"--report-configmap {configmap} needs a cluster that stays: add --kubeconfig FILE")
    try:
        if durations is not None:
            read_seconds(durations)
    except ShardError as error:
        wrong.append(f"--shard-by {error}")
    return wrong
