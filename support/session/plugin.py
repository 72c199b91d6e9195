"""How pytest runs the features, or a command: options, the cluster, the end; `features` has what scenarios alone need."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from _pytest.main import wrap_session

from support.commands import ERRANDS
from support.core.errors import SuiteError
from support.core.redaction import redacted_file
from support.core.restraint import restrain, restraint
from support.diagnosis.findings import Cause
from support.reporting import github
from support.reporting.command_terminal import CommandReporter
from support.reporting.progress import ProgressPlugin
from support.reporting.terminal import SpecificationReporter
from support.session.address import Address
from support.session.clusters import CLUSTERS, HandedCluster, as_cluster, hand_over
from support.session.commands import obey
from support.session.options import Options
from support.session.run import INSECURE, SILENT, Run
from support.session.suite import GATEWAY_API, SUITE, Suite, boot, end
from support.session.verification import CHANGED, deeds
from support.session.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.release.faults import Fault
    from support.release.release import Release
    from support.session.clusters import Ground

HANDED: Final = "chroma-conformance"
# How a run ends that has come to its end, whatever its scenarios came to.
_AT_ITS_END: Final = frozenset(
    {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED}
)


@pytest.hookimpl(tryfirst=True)  # before xdist reads it
def pytest_cmdline_main(config: pytest.Config) -> int | pytest.ExitCode | None:
    """Set what is usual here, and see to a command that is asked for instead of the features.

    In pytest.ini what is usual would demand the plugins that know it.
    """
    given = config.option
    if getattr(given, "numprocesses", None) and given.dist == "no":
        given.dist = "loadfile"  # the scenarios of a feature share what is expensive
    if getattr(given, "tbstyle", None) == "auto":
        given.tbstyle = "short"  # a failure tells what was promised and seen: of the code that is enough
    if not Options.command_of(config):
        return None
    given.no_header = given.no_summary = True  # its result is all that it says
    # A connection that an interruption has left open is no fault of the command's.
    known = config.known_args_namespace
    known.pythonwarnings = [*(known.pythonwarnings or []), "ignore::ResourceWarning"]
    return wrap_session(config, obey)


@pytest.hookimpl(tryfirst=True)  # before pytest's own reporter is there to be replaced
def pytest_configure(config: pytest.Config) -> None:
    options = Options.read(config)
    restrain(options.restraint())
    worker: dict[str, Any] = getattr(config, "workerinput", {})
    handed: dict[str, Any] = json.loads(worker[HANDED]) if HANDED in worker else {"run": {}, "ground": None}
    run = Run(options, worker=worker.get("workerid", ""), **handed["run"])
    suite = config.stash[SUITE] = Suite(run, ProgressPlugin(config), ground=_handed(handed["ground"]))
    if isinstance(suite.ground, Address):
        run.meet(suite.ground)
    config.pluginmanager.register(suite.progress_plugin)
    if not worker:
        config.pluginmanager.register(suite.results)
        config.pluginmanager.register(Workers())
        config.pluginmanager.register(suite.termination)
    if leads_to_features(config):
        suite.termination.heed_sigterm()
    if options.command:
        return
    # Hypothesis reads them when it is configured, after this.
    config.option.hypothesis_profile = options.profile
    if leads_to_features(config):
        config.option.hypothesis_seed = run.seed


def pytest_plugin_registered(plugin: object, manager: pytest.PytestPluginManager) -> None:
    """Put the reporter that reads as a specification in the place of pytest's own, as soon as that is there."""
    if type(plugin) is pytest.TerminalReporter and not hasattr(plugin.config, "workerinput"):
        suite = plugin.config.stash[SUITE]
        manager.unregister(plugin)
        # The standard output of a command is its result alone.
        stream, reporter = (
            (sys.stderr, CommandReporter)
            if suite.run.options.command
            else (sys.stdout, SpecificationReporter)
        )
        file = redacted_file(stream, suite.run.redactor)
        manager.register(reporter(plugin.config, file, suite.results), "terminalreporter")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Begin to count its time, and check what a command names; what scenarios need besides, `features` does."""
    config, suite = session.config, session.config.stash[SUITE]
    options = suite.run.options
    if options.time_limit and leads_to_features(config) and not hasattr(config, "workerinput"):
        suite.termination.limit(options.time_limit)
    if options.command and not (options.command in ERRANDS and options.verify):
        chosen(suite.run)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config) -> None:
    """Boot the cluster before there are workers, since each is handed it as it starts."""
    if leads_to_features(config):
        # No scenario is collected yet: what the named files say has to do.
        tagged = any(
            f"@{GATEWAY_API}" in file.read_text(encoding="utf-8") for file in _named_features(config)
        )
        boot(config, needs_gateway_api=tagged)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Hand a worker what the run shares."""
    suite = node.config.stash[SUITE]
    ground = _to_hand_over(suite.ground) if suite.ground else None
    node.workerinput[HANDED] = json.dumps({"run": suite.run.handed(), "ground": ground})


def _to_hand_over(ground: Ground) -> dict[str, Any]:
    if isinstance(ground, Address):
        return ground.handed()
    return {"cluster": hand_over(as_cluster(ground))}


def _handed(ground: dict[str, Any] | None) -> Ground | None:
    if ground is None:
        return None
    if "target" in ground:
        from support.session.target import Target  # noqa: PLC0415 - few runs are about one

        return Target.read(ground["target"])
    return Address.read(ground["address"]) if "address" in ground else HandedCluster.read(ground["cluster"])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash[SUITE].run.hear(getattr(node, "workeroutput", {}).get(HANDED, {}))


@pytest.hookimpl(trylast=True)  # after the fixtures of an interrupted run, and after xdist's workers
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """End the cluster and write the reports, or in a worker: tell what it found out."""
    config, suite = session.config, session.config.stash[SUITE]
    if hasattr(config, "workeroutput"):
        config.workeroutput[HANDED] = suite.run.findings()
        return
    try:
        end(suite)
    except config.stash[CLUSTERS].error as error:
        suite.results.broken.append(f"the end of the cluster: {error}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    if insecure := suite.run.facts.pop(INSECURE, None):
        suite.results.broken.append(f"{Cause.INSECURE}: {insecure}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    if changed := suite.run.facts.pop(CHANGED, None):
        suite.results.broken.append(changed)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    if silent := suite.run.facts.pop(SILENT, None):
        suite.results.broken.append(silent)
        session.exitstatus = pytest.ExitCode.USAGE_ERROR  # as where there was no cluster from the beginning
    options = suite.run.options
    if (
        suite.report
        and options.provider == "external"
        and options.roll_back == "always"
        and not suite.run.used
    ):
        suite.run.left.append(
            f"the release in {suite.run.base_name} was not rolled back, since no scenario used it; "
            "`pytest --remove`, with the options of this run, takes it away"
        )
    if suite.results.uncollected:
        session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
    finished = exitstatus in _AT_ITS_END and not suite.results.uncollected
    if suite.report and not _finish(config, finished=finished):
        session.exitstatus = pytest.ExitCode.USAGE_ERROR
    _judge_proof(session, suite)


def _judge_proof(session: pytest.Session, suite: Suite) -> None:
    """Let a run end with 5 that has proved less than it had to; of a shard the whole is asked that, once it is merged."""
    if suite.run.options.shard:
        if (
            session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED
        ):  # its share is empty, or concerns another release
            session.exitstatus = pytest.ExitCode.OK
    elif suite.report and suite.report.unproved and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if report := config.stash[SUITE].report:
        terminalreporter.section("conformance")
        for line in report.last_words():
            terminalreporter.line(line)
    run = config.stash[SUITE].run
    if run.options.verify and config.stash[SUITE].ground:
        terminalreporter.section("what this run did")
        for line in deeds(run.deeds + restraint().tally, run.made | restraint().made):
            terminalreporter.line(line)
    if left := config.stash[SUITE].run.left:
        terminalreporter.section("what is left")
        for line in left:
            terminalreporter.line(line)
    for notes in config.stash[SUITE].run.notes:
        terminalreporter.section("how the release is used")
        terminalreporter.line(notes)


def pytest_unconfigure(config: pytest.Config) -> None:
    if SUITE not in config.stash:
        return
    suite = config.stash[SUITE]
    end(suite)  # where the run ended before its session began
    if suite.report and not suite.concluded:
        _finish(config, finished=False)


def _finish(config: pytest.Config, *, finished: bool) -> bool:
    """Write the reports, and return whether that was possible; where the run is a job of GitHub's, tell that as well."""
    suite, reporter = config.stash[SUITE], config.pluginmanager.get_plugin("terminalreporter")
    assert suite.report
    suite.concluded = True
    options = suite.run.options
    if options.shard:
        suite.report.sharing = {"shard": {**asdict(options.shard), "shares": suite.run.shares}}
    try:
        suite.report.finish(suite.results, finished=finished, ended_by=suite.termination.ended_by)
    except OSError as error:
        # The verdict is on the terminal, and whoever waits for a file must not take an old one for it.
        suite.run.left.append(unwritable(options.report_dir, error))
    if options.report_configmap and suite.report.written:
        from support.session.keeping import keep_report  # noqa: PLC0415 - few runs are asked for it

        if why := keep_report(options):
            suite.run.left.append(why)
            suite.report.written = False
    if isinstance(reporter, pytest.TerminalReporter):
        for line in github.tell(suite.report.outcomes, os.environ, config.rootpath):
            reporter.write_line(line)
    return suite.report.written


def chosen(run: Run) -> tuple[Release, Fault | None]:
    """Return the release under test and what spoils it; raises `pytest.UsageError` where either is not right."""
    assert not run.options.verify, "what lives there is known on its cluster alone"
    try:
        release, fault = run.release, run.fault
    except SuiteError as error:
        raise pytest.UsageError(str(error)) from None
    if fault:
        from support.release.fault_fit import incompatibility  # noqa: PLC0415 - renders, which few commands need

        if incompatible := incompatibility(fault, release):
            raise pytest.UsageError(incompatible)
    return release, fault


def unwritable(directory: Path, error: OSError) -> str:
    """Say that no report can be written into a directory, and what to do."""
    why = error.strerror or type(error).__name__
    return f"--report-dir {directory}: no report can be written there ({why}); make room, or choose another directory"


def _named_features(config: pytest.Config) -> Iterator[Path]:
    """Yield the feature files to which the paths of the command line lead."""
    for path in _paths(config):
        yield from [path] if path.suffix == ".feature" else path.rglob("*.feature")


def _paths(config: pytest.Config) -> list[Path]:
    return [Path(config.invocation_params.dir, one.partition("::")[0]).resolve() for one in config.args]


def leads_to_features(config: pytest.Config) -> bool:
    """Whether scenarios are to be run, as far as the paths of the command line tell."""
    features = config.rootpath / "features"
    return not config.option.collectonly and any(
        path.suffix == ".feature" or features in {path, *path.parents} or path in features.parents
        for path in _paths(config)
    )
