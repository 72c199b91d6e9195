"""The command that writes a Job of the suite: --job."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final

import yaml

from support.jobs.job import MOST_SHARDS, NAME, JobError, Wanted, objects
from support.jobs.shards import read_seconds
from support.platform.rights import DEPLOY, NO_VANTAGE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from support.commands.errand import Errand

# What a Job decides by itself; whether they take a value.
_OF_THE_JOB: Final = {
    "--job": False,
    "--schedule": True,
    "--shards": True,
    "--image": True,
    "--job-namespace": True,
    "--report-claim": True,
    "--report-dir": True,
    "--report-configmap": True,
    "--shard": True,
    "--shard-by": True,
    "--inventory": True,
    "--provider": True,
    "--kubeconfig": True,
    "--context": True,
    # By which a call from elsewhere is led to the checkout.
    "--config-file": True,
    "--rootdir": True,
}
_WIDTH: Final = 120
# Those that name files, which the image does not have.
_OF_FILES: Final = {"--release": "release", "--fault": "fault"}


def run(errand: Errand) -> int:
    """Print the objects for `kubectl apply -f -`; the options that are not about the Job are those of the run in it."""
    get = errand.option
    if not get("inventory"):
        raise JobError("--job needs --inventory FILE, which the Job takes along")
    shards = get("shards")
    if shards is not None and not 2 <= shards <= MOST_SHARDS:
        raise JobError(f"--shards {shards}: give a number from 2 to {MOST_SHARDS}")
    for option, name in _OF_FILES.items():
        if "/" in (value := get(name) or "") or value.endswith(".yaml"):
            raise JobError(
                f"{option} {value}: a Job has no file of yours; name one of the suite's, and use --set"
            )
    mode = "read-only" if get("read_only") else "verify" if get("verify") else DEPLOY.mode
    namespace = get("job_namespace") or NAME
    wanted = Wanted(
        run_id=errand.run_id,
        namespace=namespace,
        inventory=Path(get("inventory")).expanduser(),
        arguments=[
            *_within(passed_on(errand.arguments), errand.root),
            *(() if get("vantage_namespace") else vantage_of(mode, namespace)),
        ],
        image=get("image") or "",
        schedule=get("schedule") or "",
        shards=shards or 0,
        limit=get("time_limit"),
        claim=get("report_claim") or "",
        seconds=read_seconds(Path(get("shard_by")).expanduser()) if get("shard_by") else None,
        mode=mode,
    )
    errand.say(yaml.dump_all(objects(wanted), Dumper=_Dumper, sort_keys=False, width=_WIDTH).rstrip())
    return 0


def vantage_of(mode: str, namespace: str) -> Sequence[str]:
    """Return the options by which the vantage lies where the rights of a mode let it: in the Job's own namespace, or nowhere."""
    places = {"verify": namespace, "read-only": NO_VANTAGE}
    return ("--vantage-namespace", places[mode]) if mode in places else ()


class _Dumper(yaml.SafeDumper):
    """Writes text of several lines as such, and nothing by reference."""

    def ignore_aliases(self, data: object) -> bool:
        """Write a part that stands in two places twice, as people do."""
        del data
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def passed_on(arguments: Sequence[str]) -> list[str]:
    """Return the arguments of a command line that the run in a Job is given."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    for option, takes_value in _OF_THE_JOB.items():
        parser.add_argument(option, action="store" if takes_value else "store_true")
    return parser.parse_known_args(list(map(str, arguments)))[1]


def _within(arguments: Sequence[str], root: Path) -> Iterator[str]:
    """Name paths of the checkout as they are called from it: there the run in a Job is called."""
    for one in arguments:
        path, colons, rest = one.partition("::")
        resolved = Path(path).resolve()
        if not path.startswith("-") and resolved.is_relative_to(root) and resolved.exists():
            yield f"{resolved.relative_to(root)}{colons}{rest}"
        else:
            yield one
