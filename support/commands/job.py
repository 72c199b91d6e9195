"""The command that writes a Job of the suite: --job."""

from __future__ import annotations

import argparse
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

import yaml

from support.commands import COPYING
from support.jobs.files import BACKUPS, JobError
from support.jobs.job import MOST_SHARDS, NAME, Wanted, objects
from support.jobs.shards import read_seconds
from support.kube.client import Kube
from support.kube.errors import ApiError
from support.platform.pull_secret import KIND, PullSecret, flaw_of
from support.platform.rights import DEPLOY, NO_VANTAGE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from support.commands.errand import Errand
    from support.kube.objects import Object

# The account of docs/targets/rights.yaml.
_TARGET: Final = "target"
# The mode of a run by the option that asks for it; the first that is given counts.
_MODES: Final = {"target": _TARGET, "read_only": "read-only", "verify": "verify"}

# What a Job decides by itself; whether they take a value.
_OF_THE_JOB: Final = {
    "--job": False,
    "--schedule": True,
    "--shards": True,
    "--image": True,
    "--job-namespace": True,
    "--report-claim": True,
    "--backup-claim": True,
    "--report-dir": True,
    "--report-configmap": True,
    "--shard": True,
    "--shard-by": True,
    "--inventory": True,
    "--target": True,
    "--provider": True,
    "--kubeconfig": True,
    "--context": True,
    # By which a call from elsewhere is led to the checkout.
    "--config-file": True,
    "--rootdir": True,
}
_WIDTH: Final = 120
# Those that are for features alone.
_OF_RUNS: Final = {
    "--shards": "shards",
    "--shard-by": "shard_by",
    "--report-claim": "report_claim",
    "--time-limit": "time_limit",
    "--verify": "verify",
    "--read-only": "read_only",
    "--target": "target",
}
# Those that name files, which the image does not have.
_OF_FILES: Final = {"--release": "release", "--fault": "fault"}


def run(errand: Errand) -> int:
    """Print the objects for `kubectl apply -f -`; the options that are not about the Job are those of the run in it."""
    get = errand.option
    if not (get("inventory") or get("target")):
        raise JobError("--job needs --inventory FILE or --target FILE, which the Job takes along")
    shards = get("shards")
    if shards is not None and not 2 <= shards <= MOST_SHARDS:
        raise JobError(f"--shards {shards}: give a number from 2 to {MOST_SHARDS}")
    for option, name in _OF_FILES.items():
        if "/" in (value := get(name) or "") or value.endswith(".yaml"):
            raise JobError(
                f"{option} {value}: a Job has no file of yours; name one of the suite's, and use --set"
            )
    command = _copying(errand)
    mode = next((mode for option, mode in _MODES.items() if get(option)), DEPLOY.mode)
    namespace = get("job_namespace") or NAME
    wanted = Wanted(
        run_id=errand.run_id,
        namespace=namespace,
        inventory=_file(get("inventory")),
        target=_file(get("target")),
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
        command=command,
        backup_claim=get("backup_claim") or "",
    )
    printed = objects(wanted)
    for line in _pulled(errand, printed, namespace):
        errand.say(line)
    errand.say(yaml.dump_all(printed, Dumper=_Dumper, sort_keys=False, width=_WIDTH).rstrip())
    return 0


def _copying(errand: Errand) -> str:
    """Return the command that the Job carries out, "" where it runs the features; raises `JobError` where it could not."""
    get = errand.option
    command = next((one for one in sorted(COPYING) if get(one) is not None), "")
    claim, keep = get("backup_claim"), get("keep")
    if not command:
        if claim or keep is not None:
            raise JobError("--backup-claim and --keep are for a Job that copies: add --backup or --restore")
        return ""
    where = PurePosixPath(get(command))
    if not claim:
        raise JobError(
            f"--job --{command} needs --backup-claim NAME, the claim that the Job has at {BACKUPS}"
        )
    if not where.is_relative_to(BACKUPS) or ".." in where.parts:
        raise JobError(f"--{command} {where}: the Job has its claim at {BACKUPS}; name that, or a file in it")
    if keep is not None and command != "backup":
        raise JobError("--keep is for --backup")
    if needless := [option for option, name in _OF_RUNS.items() if get(name)]:
        raise JobError(f"--job --{command} runs no features: leave out {', '.join(needless)}")
    return command


def _pulled(errand: Errand, printed: Sequence[Object], namespace: str) -> Iterator[str]:
    """Insist on the Secrets that the images are pulled with; yield a comment where no cluster is named in which to look.

    Without one its pod would wait for its image until the Job's limit has passed. Raises `JobError`.
    """
    spec = printed[-1]["spec"]
    pod = spec.get("jobTemplate", {"spec": spec})["spec"]["template"]["spec"]
    places = [PullSecret(namespace, one["name"]) for one in pod.get("imagePullSecrets") or ()]
    if not places:
        return
    if errand.kubeconfig is None:
        named = ", ".join(map(str, places))
        yield f"# Pulls with {named}, which has to be there: add --kubeconfig FILE, and it is looked for."
        return
    try:
        kube = Kube(errand.kubeconfig, errand.option("context"))
        flaws = [flaw for place in places if (flaw := flaw_of(place.found(kube), place))]
    except ApiError as error:
        raise JobError(f"--job: whether the images can be pulled cannot be seen: {error.message}") from None
    if flaws:
        raise JobError(
            f"--job: image_pull_secret: {'; '.join(flaws)}; make one of type {KIND} there "
            "(`kubectl create secret docker-registry`)"
        )


def _file(given: str | None) -> Path | None:
    return Path(given).expanduser() if given else None


def vantage_of(mode: str, namespace: str) -> Sequence[str]:
    """Return the options by which the vantage lies where the rights of a mode let it: in the Job's own namespace, or nowhere."""
    places = {"verify": namespace, _TARGET: namespace, "read-only": NO_VANTAGE}
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
