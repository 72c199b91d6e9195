"""The options of a run, read and checked before anything is touched; `command_line` declares them."""

import re
from dataclasses import dataclass
from pathlib import Path
from threading import TIMEOUT_MAX
from typing import Final

import pytest

from support.commands import COPYING, ERRANDS
from support.core.restraint import VERIFYING, Budget, Restraint
from support.core.validation import unknown
from support.jobs.shards import Shard
from support.reporting.scenario import DEPLOYING, MODE_CAPABILITIES, WRITING
from support.session.command_line import COMMANDS, CONCEDED
from support.session.ground_options import ENDPOINT, complaints_about_endpoint, complaints_about_target
from support.session.job_options import complaints_about_shards, shard_of
from support.session.kubeconfigs import complaints_about_kubeconfigs, path_of_kubeconfig

# Short enough that its throw-away companions ("NAME-gw1-0123abcd-12") are names of Kubernetes as well.
_NAMESPACE: Final = r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?"
# The capability with which commands may be run in the release's container.
_EXEC: Final = "exec"


@dataclass(frozen=True)
class Options:
    """What the command line asks for."""

    provider: str
    kubeconfig: Path | None
    context: str | None
    endpoint: str | None  # the address of a Chroma, which the run is about in the stead of a cluster
    target: (
        Path | None
    )  # the file that describes what something else deployed, which the run is about in its stead
    tenant: str
    database: str
    platform_kubeconfig: Path | None
    inventory: Path | None
    release: str | None  # None: the usual one
    changes: tuple[str, ...]  # of the release, each as KEY=VALUE
    namespace: str
    host: str | None
    fault: str | None
    verify: bool  # also with --read-only and with --target
    read_only: bool
    vantage_namespace: str | None
    budget: tuple[str, ...]  # each as KEY=N
    accept_insecure: bool
    accept_downgrade: bool
    roll_back: str
    remove_data: bool
    apply_changes: bool
    yes: bool
    patience: float
    time_limit: float | None
    report_dir: Path
    scenario: str | None
    require: str | None
    without: tuple[str, ...]
    capabilities: frozenset[str]
    profile: str  # of Hypothesis, like the seed
    seed: str
    # The command that is asked for instead of the features, and what it is given, empty when that is nothing.
    command: str | None
    argument: str
    revision: str | None  # the number of the one to go back to, or to plan
    keep: int | None = None  # how many backups stay in their directory
    # Where the report goes besides; which shard of a run this is, and the file that says how long features take.
    report_configmap: str | None = None
    shard: Shard | None = None
    durations: Path | None = None

    @classmethod
    def read(cls, config: pytest.Config) -> "Options":
        """Take the options from pytest; raises `pytest.UsageError` that names everything wrong with them."""
        get = config.getoption
        command = cls.command_of(config)
        given = cls(
            provider=_kind(config),
            kubeconfig=path_of_kubeconfig(get("kubeconfig")),
            context=get("context"),
            endpoint=(get("endpoint") or "").rstrip("/") or None,
            target=_path(get("target")),
            tenant=get("tenant"),
            database=get("database"),
            platform_kubeconfig=_path(get("platform_kubeconfig")),
            inventory=_path(get("inventory")),
            release=get("release"),
            changes=tuple(get("changes")),
            namespace=get("namespace"),
            host=get("host"),
            fault=get("fault"),
            verify=get("verify") or get("read_only") or get("target") is not None,
            read_only=get("read_only"),
            vantage_namespace=get("vantage_namespace"),
            budget=tuple(get("budget")),
            accept_insecure=get("accept_insecure"),
            accept_downgrade=get("accept_downgrade"),
            roll_back=get("roll_back") or _usual_roll_back(_kind(config)),
            remove_data=get("remove_data"),
            apply_changes=get("apply_changes"),
            yes=get("yes"),
            patience=get("patience"),
            time_limit=get("time_limit"),
            report_dir=_path(get("report_dir")) or config.rootpath / "reports",
            report_configmap=get("report_configmap"),
            shard=shard_of(get("shard")),
            durations=_path(get("shard_by")),
            scenario=get("scenario"),
            require=get("require"),
            without=tuple(get("without")),
            capabilities=frozenset(get("capability")),
            profile=get("--hypothesis-profile", None) or "dev",
            seed=get("--hypothesis-seed", None) or "",
            command=command,
            argument=get(command) if command else "",
            revision=get("back_to"),
            keep=get("keep"),
        )
        if wrong := given.complaints():
            raise pytest.UsageError("\n  ".join(["these options cannot be followed:", *wrong]))
        return given

    @classmethod
    def command_of(cls, config: pytest.Config) -> str | None:
        """Return the name of the command that is asked for instead of the features, None when there is none."""
        asked = [name for name in COMMANDS if config.getoption(name) is not None]
        if sorted(asked) == ["back_to", "plan"]:  # a plan of going back, which only looks
            return "plan"
        # A Job in which the other one is carried out.
        if len(asked) == 2 and "job" in asked and COPYING.intersection(asked):
            return "job"
        if len(asked) > 1:
            raise pytest.UsageError(f"ask for one at a time: {', '.join(map(flag, asked))}")
        return asked[0] if asked else None

    @property
    def permitted(self) -> frozenset[str]:
        """What the run may do by its mode, by the names of the tags `needs-…`."""
        left_out = {DEPLOYING: self.verify, WRITING: self.read_only}
        return frozenset(one for one in MODE_CAPABILITIES if not left_out[one])

    @property
    def mode(self) -> str:
        """The option that keeps the run from changing things, "" where none does."""
        if self.read_only:
            return "--read-only"
        return "--target" if self.target else "--verify" if self.verify else ""

    def restraint(self) -> Restraint:
        """Return what the run may send; raises `ValueError` where a budget is none."""
        limits = dict(VERIFYING) if self.verify else {}
        for given in self.budget:
            key, _, number = given.partition("=")
            if key not in VERIFYING:
                raise ValueError(f"--budget {given}: {unknown(key, VERIFYING)}")
            if not number.replace(".", "", 1).isdecimal() or not float(number) > 0:
                raise ValueError(f"--budget {given}: give a number above 0, such as {key}={VERIFYING[key]:g}")
            limits[key] = float(number)
        return Restraint(
            self.mode,
            changes=DEPLOYING in self.permitted,
            writes=WRITING in self.permitted,
            runs_commands=_EXEC in self.capabilities,
            budget=Budget.of(limits),
        )

    def rolls_back(self, *, failed: bool) -> bool:
        """Whether the release is rolled back at the end of a run that has failed, or has not."""
        return self.roll_back == "always" or (self.roll_back == "on-failure" and failed)

    def complaints(self) -> list[str]:
        """Name what is wrong, each with its remedy; an empty list when nothing is."""
        wrong = []
        if self.provider == "external" and self.kubeconfig is None:
            wrong.append(
                "--provider external needs --kubeconfig FILE: a current context is never touched by itself"
            )
        if self.provider == "embedded" and self.kubeconfig is not None:
            wrong.append("--provider embedded boots its own cluster: leave out --kubeconfig")
        if self.endpoint is not None:
            wrong += complaints_about_endpoint(self)
        else:
            wrong += _complaints_about_command(self)
        if self.target is not None:
            wrong += complaints_about_target(self)
        if self.context is not None and self.kubeconfig is None:
            wrong.append("--context names a context of a kubeconfig: add --kubeconfig FILE")
        others = self.platform_kubeconfig
        wrong += complaints_about_kubeconfigs(self.kubeconfig, self.context, others, self.provider)
        if self.inventory is not None and not self.inventory.is_file():
            wrong.append(
                f"--inventory {self.inventory}: no such file; give a YAML file as docs/live-clusters.md shows it"
            )
        if set(self.without) - CONCEDED and not self.require and not self.command:
            wrong.append(
                "--without concedes a capability to what is required: add --require core or --require extended"
            )
        wrong += _complaints_about_namespace(self.namespace)
        wrong += _complaints_about_mode(self)
        wrong += _complaints_about_time(self.patience, self.time_limit)
        wrong += complaints_about_shards(self.durations, self.report_configmap, self.kubeconfig)
        if self.report_dir.exists() and not self.report_dir.is_dir():
            wrong.append(f"--report-dir {self.report_dir}: is a file, not a directory")
        if self.command is None:
            wrong += _complaints_about_profile(self.profile)
        return wrong


def flag(command: str) -> str:
    """Return the option that asks for a command."""
    return f"--{command.replace('_', '-')}"


def _complaints_about_time(patience: float, limit: float | None) -> list[str]:
    wrong = []
    if not 0 < patience < float("inf"):
        wrong.append(f"--patience {patience:g}: must be a number above 0; 2 waits twice as long")
    if limit is not None and not 0 < limit <= TIMEOUT_MAX:
        wrong.append(
            f"--time-limit {limit:g}: must be a number of seconds above 0; without the option there is no limit"
        )
    return wrong


def _path(given: str | None) -> Path | None:
    return Path(given).expanduser().absolute() if given else None


def _kind(config: pytest.Config) -> str:
    provider = config.getoption("provider")
    if provider != "auto":
        return str(provider)
    if config.getoption("endpoint") is not None:
        return ENDPOINT
    return "external" if config.getoption("kubeconfig") else "embedded"


def _usual_roll_back(provider: str) -> str:
    # On somebody's cluster nothing that was asked for is taken away unasked.
    return "always" if provider == "embedded" else "never"


def _complaints_about_profile(profile: str) -> list[str]:
    # A command is over in less time than these take to be imported.
    from hypothesis import settings  # noqa: PLC0415 - see above
    from hypothesis.errors import InvalidArgument  # noqa: PLC0415 - likewise

    from support.laws.strategies import register_profiles  # noqa: PLC0415 - likewise

    register_profiles()
    try:
        settings.get_profile(profile)
    except InvalidArgument:
        return [f"--hypothesis-profile {profile}: unknown; there are dev, ci and soak"]
    return []


def _complaints_about_namespace(namespace: str, option: str = "--namespace") -> list[str]:
    if re.fullmatch(_NAMESPACE, namespace):
        return []
    return [
        (
            f"{option} {namespace}: must be small letters, digits and '-', begin with a letter, end with a letter or a digit, "
            "and have at most 40 characters"
        )
    ]


def _complaints_about_mode(options: Options) -> list[str]:
    """Name what does not go with --verify, which takes the release as it lives, and a budget that is none."""
    wrong = []
    try:
        options.restraint()
    except ValueError as error:
        wrong.append(str(error))
    if not options.verify:
        if options.vantage_namespace:
            wrong.append("--vantage-namespace is for a run that deploys nothing: add --verify or --read-only")
        return wrong
    mode = options.mode
    # A Job is written for a run that is yet to be.
    here = options.command != "job"
    if options.command and here:
        wrong.append(f"{mode} is a run of features: leave out {flag(options.command)}")
    if options.provider == "embedded" and here:
        wrong.append(f"{mode} looks at a release that lives: add --kubeconfig FILE")
    given = {
        "--release": options.release,
        "--set": options.changes,
        "--host": options.host,
        "--fault": options.fault,
        "--apply-changes": options.apply_changes,
        "--accept-downgrade": options.accept_downgrade,
        "--remove-data": options.remove_data,
        f"--roll-back {options.roll_back}": options.roll_back != "never" and options.provider != "embedded",
    }
    if named := [name for name, value in given.items() if value]:
        wrong.append(f"{mode} takes the release as it lives: leave out {', '.join(named)}")
    if options.vantage_namespace:
        wrong += _complaints_about_namespace(options.vantage_namespace, "--vantage-namespace")
    return wrong


def _complaints_about_command(options: Options) -> list[str]:
    wrong = []
    command, revision = options.command, options.revision
    # A plan of the first release can be made on an empty cluster as well.
    if (
        command
        and options.provider == "embedded"
        and (command != "plan" or revision is not None)
        and command not in ERRANDS
    ):
        wrong.append(f"{flag(command)} needs a cluster that is there already: add --kubeconfig FILE")
    if command in COPYING and not options.argument:
        wrong.append(f"--{command} needs the name of a file")
    if options.keep is not None and (options.keep < 1 or command not in {"backup", "job"}):
        wrong.append(
            f"--keep {options.keep}: give with --backup DIRECTORY how many backups stay there, 1 or more"
        )
    if revision is not None and not (revision.isdecimal() and int(revision)):
        wrong.append(f"--back-to {revision}: give the number of a revision, as --history shows it")
    return wrong
