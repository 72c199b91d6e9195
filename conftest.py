"""Pytest wiring: the collector, the options, the reports, and the fixtures that own lifetimes."""

from __future__ import annotations

import itertools
import os
import pickle
import sys
import time
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from _pytest.main import wrap_session  # what pytest's own --fixtures and --setup-plan stand on

from cluster.provider import ClusterError, provider_for
from support.backup.backup import NotLiveError
from support.backup.transfer import CopyError
from support.checks.certificate import Issuer
from support.checks.code_server import AWKWARD_TOKEN, Workplace
from support.commands import carry_out
from support.commands.call import Call
from support.commands.notes import display
from support.core.redaction import redact_report, redacted_file
from support.deploy import removal
from support.deploy.marks import Mark
from support.deploy.namespace import Namespace
from support.deploy.precheck import ObstructedError
from support.deploy.sweep import sweep
from support.diagnosis.causes import Cause
from support.kube.client import Kube, Refused
from support.kube.silence import SilentError
from support.network import http
from support.network.vantage import Vantage
from support.network.way import ingress
from support.platform.inventory import InventoryError
from support.platform.preflight import survey
from support.release.fault_fit import why_misfit
from support.release.faults import Fault, FaultError
from support.release.lint import openings
from support.release.place import Place
from support.release.release import Release, ReleaseError
from support.release.versions import MEANINGS
from support.reporting import evidence
from support.reporting.conformance import Report, version_of
from support.reporting.evidence import Failure
from support.reporting.progress import Courier
from support.reporting.scenario import NEEDS, Scenario
from support.reporting.terminal import SpecificationReporter
from support.reporting.verdict import EVIDENCE, FOREIGN, Ledger
from support.session.collector import FeatureFile, all_scenarios, is_titled, uncatchable, unknown_title
from support.session.options import Options, add_options
from support.session.run import OPEN, SILENT, Run
from support.session.workers import Workers, heed_termination

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from pytest_bdd.parser import Step

    from cluster.provider import Access, Provider
    from support.chroma.database import Database
    from support.core.wait import Deadlines
    from support.deploy.live import Live
    from support.platform.inventory import Inventory

pytest_plugins = [
    "steps.inventory",
    "steps.plan",
    "steps.precheck",
    "steps.certificate",
    "steps.releases",
    "steps.access",
    "steps.durability",
    "steps.collections",
    "steps.queries",
    "steps.status",
    "steps.usage",
    "steps.discovery",
    "steps.backup",
    "steps.performance",
    "steps.objects",
    "steps.ingress",
    "steps.troubleshooting",
    "steps.surroundings",
    "steps.notes",
    "steps.rollback",
    "steps.naming",
    "steps.sweep",
    "steps.telemetry",
    "steps.heritage",
]


@dataclass
class Suite:
    """What the hooks of one process keep; only the controlling process has a report."""

    run: Run
    courier: Courier
    ledger: Ledger = field(default_factory=Ledger)
    report: Report | None = None
    provider: Provider | None = None
    access: Access | None = None
    # What shows on the cluster that the run lives.
    mark: ExitStack = field(default_factory=ExitStack)


SUITE: Final = pytest.StashKey[Suite]()
IN_SHORT: Final = pytest.StashKey[str]()
# What stands between pytest and a step, and explains no failure.
MACHINERY: Final = frozenset({"_pytest", "pytest_bdd"})
HANDED: Final = "chroma-conformance"
# What a cluster, a network or a file can do; anything else is a mistake of the suite, and shows where it was made.
CIRCUMSTANCES: Final = (Refused, AssertionError, http.Unanswered, CopyError, NotLiveError, OSError)


def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser)


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
    return wrap_session(config, _obey) if Options.command_of(config) else None


@pytest.hookimpl(tryfirst=True)  # before pytest's own reporter is there to be replaced
def pytest_configure(config: pytest.Config) -> None:
    options = Options.read(config)
    worker: dict[str, Any] = getattr(config, "workerinput", {})
    handed, access = pickle.loads(worker[HANDED]) if HANDED in worker else ({}, None)  # noqa: S301 - see the import
    run = Run(options, worker=worker.get("workerid", ""), **handed)
    suite = config.stash[SUITE] = Suite(run, Courier(config), access=access)
    config.pluginmanager.register(suite.courier)
    if not worker:
        config.pluginmanager.register(suite.ledger)
        config.pluginmanager.register(Workers())
    # Hypothesis reads them when it is configured, after this.
    config.option.hypothesis_profile = options.profile
    if _leads_to_features(config):
        config.option.hypothesis_seed = run.seed
        heed_termination()


def pytest_plugin_registered(plugin: object, manager: pytest.PytestPluginManager) -> None:
    """Put the reporter that reads as a specification in the place of pytest's own, as soon as that is there."""
    if type(plugin) is pytest.TerminalReporter and not hasattr(plugin.config, "workerinput"):
        suite = plugin.config.stash[SUITE]
        manager.unregister(plugin)
        # The standard output of a command is its result alone.
        file = redacted_file(sys.stderr if suite.run.options.command else sys.stdout, suite.run.redactor)
        manager.register(SpecificationReporter(plugin.config, file, suite.ledger), "terminalreporter")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Check what names a file of the suite, and put an unfinished report in place of the last one."""
    config, suite = session.config, session.config.stash[SUITE]
    if not _leads_to_features(config) or hasattr(config, "workerinput"):
        return
    options = suite.run.options
    try:
        release = Release.named(options.release)
        fault = Fault.load(options.fault) if options.fault else None
    except (ReleaseError, FaultError) as error:
        raise pytest.UsageError(str(error)) from None
    if misfit := fault and why_misfit(fault, release):
        raise pytest.UsageError(misfit)
    if options.command:  # the report of the last run stays
        return
    if (reasons := openings(release)) and suite.run.bear_open(release) is None:
        told = [f'release "{release.name}" is refused because {Cause.OPEN}:']
        told += [line for reason in reasons for line in reason.lines()]
        told += ["(--accept-insecure deploys it nevertheless, and then the run fails)"]
        raise pytest.UsageError("\n  ".join(told))
    scenarios = all_scenarios(config.rootpath)
    if unknown := unknown_title(suite.run.options.scenario, scenarios):
        raise pytest.UsageError(f"--scenario: {unknown}")
    if fault and (wrong := uncatchable(fault.caught_by, scenarios)):
        raise pytest.UsageError(f"fault {fault.name!r}: {wrong}")
    suite.report = Report(
        suite.run.conditions,
        directory=options.report_dir,
        root=config.rootpath,
        arguments=config.invocation_params.args,
        scenarios=scenarios,
        redactor=suite.run.redactor,
        facts=suite.run.facts,
        measured=suite.run.measured,
        fault=fault,
    )
    suite.report.begin()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    return FeatureFile.from_parent(parent, path=file_path) if file_path.suffix == ".feature" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is not of the title asked for."""
    if title := config.stash[SUITE].run.options.scenario:
        others = [item for item in items if not is_titled(item, title)]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Boot the cluster once it is sure that something needs it."""
    going_on = not session.testsfailed and not session.config.option.collectonly
    if going_on and any(isinstance(item.parent, FeatureFile) for item in session.items):
        _boot(session.config)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config) -> None:
    """Boot the cluster before there are workers, since each is handed it as it starts."""
    if _leads_to_features(config):
        _boot(config)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Hand a worker what the run shares."""
    suite = node.config.stash[SUITE]
    node.workerinput[HANDED] = pickle.dumps((suite.run.handed(), suite.access))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash[SUITE].run.hear(getattr(node, "workeroutput", {}).get(HANDED, {}))


@pytest.hookimpl(trylast=True)  # after the fixtures of an interrupted run, and after xdist's workers
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """End the cluster and write the reports, or in a worker: tell what it found out."""
    config, suite = session.config, session.config.stash[SUITE]
    if hasattr(config, "workeroutput"):
        config.workeroutput[HANDED] = suite.run.told()
        return
    try:
        _end(suite)
    except ClusterError as error:
        suite.ledger.broken.append(f"the end of the cluster: {error}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    if open_to_anybody := suite.run.facts.pop(OPEN, None):
        suite.ledger.broken.append(f"{Cause.OPEN}: {open_to_anybody}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    if silent := suite.run.facts.pop(SILENT, None):
        suite.ledger.broken.append(silent)
        session.exitstatus = pytest.ExitCode.USAGE_ERROR  # as where there was no cluster from the beginning
    if suite.report:
        finished = exitstatus in {
            pytest.ExitCode.OK,
            pytest.ExitCode.TESTS_FAILED,
            pytest.ExitCode.NO_TESTS_COLLECTED,
        }
        suite.report.finish(suite.ledger, finished=finished)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if report := config.stash[SUITE].report:
        terminalreporter.section("conformance")
        for line in report.last_words():
            terminalreporter.line(line)
    if left := config.stash[SUITE].run.left:
        terminalreporter.section("what is left")
        for line in left:
            terminalreporter.line(line)
    for told in config.stash[SUITE].run.displays:
        terminalreporter.section("how the release is used")
        terminalreporter.line(told)


def pytest_unconfigure(config: pytest.Config) -> None:
    if SUITE not in config.stash:
        return
    suite = config.stash[SUITE]
    _end(suite)  # where the run ended before its session began
    if suite.report and not suite.report.written:
        suite.report.finish(suite.ledger, finished=False)


def _obey(config: pytest.Config, _session: pytest.Session) -> int:
    """Carry out the command that is asked for, and return its exit code."""
    suite = config.stash[SUITE]
    run, file = suite.run, redacted_file(sys.stdout, suite.run.redactor)
    with run.using(_boot(config)) as inventory:
        place = Place(run.base_name, f"{run.base_name}.{inventory.domain_name}", announced=True)
        namespace = Namespace(
            Kube(inventory.kubeconfig, inventory.context),
            inventory,
            place,
            run.deadlines,
            run.fault_of,
            _tell_progress(config),
            bear_open=run.bear_open,
            accept_downgrade=run.options.accept_downgrade,
        )
        call = Call(
            namespace,
            Release.named(run.options.release),
            run.id,
            run.deadlines,
            run.options.argument,
            lambda line: print(line, file=file, flush=True),
        )
        try:
            return carry_out(run.options.command or "", call)
        except SilentError as silent:
            raise pytest.UsageError(str(silent)) from None


def _leads_to_features(config: pytest.Config) -> bool:
    """Whether scenarios are to be run, as far as the paths of the command line tell."""
    features = config.rootpath / "features"
    paths = [Path(config.invocation_params.dir, one.partition("::")[0]).resolve() for one in config.args]
    return not config.option.collectonly and any(
        path.suffix == ".feature" or features in {path, *path.parents} or path in features.parents
        for path in paths
    )


def _boot(config: pytest.Config) -> Access:
    """Return the run's cluster; the first call creates it, in the controlling process."""
    suite, began = config.stash[SUITE], time.monotonic()
    if suite.access:
        return suite.access
    options = suite.run.options
    progress = _tell_progress(config)
    if options.provider == "embedded" and "KUBECONFIG" in os.environ:
        progress(
            "KUBECONFIG is not followed: --kubeconfig=FILE names a cluster to run on; without it one is booted"
        )
    try:
        suite.provider = provider_for(
            options.provider,
            kubeconfig=options.kubeconfig,
            context=options.context,
            recipes=config.rootpath / "manifests" / "images",
            progress=progress,
            patience=options.patience,
            images=Release.named(options.release).images,
        )
        access = suite.provider.create()
        # Whatever is missing or wrong is told now, before anything is touched.
        suite.run.examine(access, survey, progress)
    except (ClusterError, InventoryError) as error:
        reason = suite.run.out_of_reach(error) if isinstance(error, ClusterError) else str(error)
        suite.ledger.broken.append(reason)
        raise pytest.UsageError(reason) from None
    if suite.report:
        suite.report.begin_scenarios()
        what = "boot of the cluster" if options.provider == "embedded" else "survey of the cluster"
        suite.report.times[what] = time.monotonic() - began
        suite.report.images = access.images
    suite.access = access
    if options.provider != "embedded" and options.command != "sweep":
        _mark(suite, access, progress)
    return access


def _mark(suite: Suite, access: Access, progress: Callable[[str], None]) -> None:
    """Show on the cluster that this run lives, and remove what dead ones have left; an embedded cluster ends with its run."""
    with ExitStack() as stack:
        inventory = stack.enter_context(suite.run.using(access))
        kube, deadlines = Kube(inventory.kubeconfig, inventory.context), suite.run.deadlines
        try:
            mark = stack.enter_context(Mark(kube, inventory.certificate_namespace, suite.run.id, deadlines))
            swept = sweep(kube, inventory, suite.run.id, mark.renew(), deadlines)
        except Refused as refused:
            progress(f"this run cannot be marked, and nothing is swept: {refused.message}")
            return
        for line in swept.lines():
            progress(line)
        suite.mark = stack.pop_all()


def _tell_progress(config: pytest.Config) -> Callable[[str], None]:
    """Return what tells the terminal what is going on."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return reporter.progress if isinstance(reporter, SpecificationReporter) else lambda _: None


def _end(suite: Suite) -> None:
    """Take the run's mark off its cluster, and end the cluster if this process has booted one."""
    suite.mark.close()
    provider, suite.provider, began = suite.provider, None, time.monotonic()
    if provider:
        provider.delete()
        if suite.report and suite.run.options.provider == "embedded":
            suite.report.times["end of the cluster"] = time.monotonic() - began


# Evidence


def pytest_bdd_before_step(request: pytest.FixtureRequest, step: Step) -> None:
    """Follow the logs from the beginning of what a scenario does last: where a Then fails, that is what it looks at."""
    if step.type != "then":
        request.config.stash[SUITE].run.witness.begin_act()


def pytest_bdd_step_error(request: pytest.FixtureRequest, step: Step, exception: Exception) -> None:
    """Take the evidence of a failure, before any fixture cleans up."""
    item, suite = request.node, request.config.stash[SUITE]
    scenario = Scenario.among(item.user_properties)
    if scenario is None:  # a test that binds a scenario by itself
        return
    failure = Failure(scenario, f"{step.keyword} {step.name}", step.line_number, exception)
    directory = evidence.bundle_directory(suite.run.options.report_dir / "evidence", item.nodeid)
    sentences = failure.sentences(request.config.rootpath, suite.run.look_into)
    told = evidence.take(directory, sentences, suite.run.views(), suite.run.redactor, suite.run.witness.shown)
    item.stash[IN_SHORT] = f"{told}\nevidence: {directory}"
    item.user_properties.append((EVIDENCE, str(directory)))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the evidence into the report, where it survives xdist, and keep every secret out of it."""
    if (
        call.excinfo
        and isinstance(item.parent, FeatureFile)
        and not item.config.getoption("fulltrace", False)
    ):
        call.excinfo.traceback = call.excinfo.traceback.filter(
            lambda entry: MACHINERY.isdisjoint(Path(entry.path).parts)
        )
    report = yield
    if call.excinfo and report.failed and isinstance(item.parent, FeatureFile):
        _tell_without_frames(item, call.excinfo, report)
    if call.when == "call" and report.passed:
        item.config.stash[SUITE].run.witness.forget()
    if call.when == "call" and report.failed and IN_SHORT in item.stash:
        report.sections.append(("Evidence", item.stash[IN_SHORT]))
    redact_report(item.config, report, item.config.stash[SUITE].run.redactor)
    return report


def _tell_without_frames(
    item: pytest.Item, excinfo: pytest.ExceptionInfo[BaseException], report: pytest.TestReport
) -> None:
    """Show of what a cluster, a network or a file did only what is said of it; end the run where the cluster is silent.

    Where in the suite that was met is told by the evidence, and by --full-trace.
    """
    if not isinstance(excinfo.value, CIRCUMSTANCES) or item.config.getoption("fulltrace", False):
        return
    report.longrepr = excinfo.getrepr(style="value", chain=False)
    run = item.config.stash[SUITE].run
    if isinstance(excinfo.value, Refused) and (silent := run.silence(excinfo.value)):
        run.facts[SILENT] = silent
        item.session.shouldstop = "the cluster does not answer any more"


# Fixtures


@pytest.fixture(scope="session")
def run(pytestconfig: pytest.Config) -> Run:
    return pytestconfig.stash[SUITE].run


@pytest.fixture(scope="session")
def access(pytestconfig: pytest.Config) -> Access:
    return _boot(pytestconfig)


@pytest.fixture
def capabilities(
    request: pytest.FixtureRequest, run: Run, access: Access, release_under_test: Release
) -> None:
    """Skip a scenario that needs what neither the cluster nor the release has."""
    names = [mark.name for mark in request.node.iter_markers() if mark.name.startswith(NEEDS)]
    # What does not concern the release is told as that, whatever the cluster lacks.
    for capability in sorted(
        (name.removeprefix(NEEDS) for name in names), key=lambda one: one not in MEANINGS
    ):
        if capability in MEANINGS:
            if capability not in release_under_test.capabilities:
                request.node.user_properties.append((FOREIGN, capability))
                pytest.skip(release_under_test.lacks(capability))
        elif capability not in access.capabilities | run.options.capabilities:
            pytest.skip(f"the cluster {access.name} has no {capability}")


@pytest.fixture(scope="session")
def run_id(run: Run) -> str:
    return run.id


@pytest.fixture(scope="session")
def inventory(run: Run, access: Access) -> Iterator[Inventory]:
    with run.using(access) as inventory:
        yield inventory


@pytest.fixture(scope="session")
def kube(run: Run, inventory: Inventory) -> Kube:
    kube = Kube(inventory.kubeconfig, inventory.context)
    run.facts["kubernetes"] = version_of(kube)
    return kube


@pytest.fixture(scope="session")
def deadlines(run: Run) -> Deadlines:
    return run.deadlines


@pytest.fixture(scope="session")
def release_under_test(run: Run) -> Release:
    release = Release.named(run.options.release)
    run.facts["chroma"] = release.chroma.image
    if release.gateway:
        run.facts["gateway"] = release.gateway.image
    run.facts["discovery"] = release.discovery
    return release


@pytest.fixture(scope="session")
def namespaces() -> dict[str, Namespace]:
    """Return the namespaces that this process has made, by their names."""
    return {}


@pytest.fixture(scope="session")
def make_namespace(
    pytestconfig: pytest.Config,
    namespaces: dict[str, Namespace],
    kube: Kube,
    inventory: Inventory,
) -> Callable[..., Namespace]:
    """Return what makes a namespace of a name, and of a run's id if it is that run's alone.

    What lasts is announced to the platform; what a run throws away only where a scenario asks for that. With a
    `token` the namespace has that one instead of the inventory's; with a `platform`, all that this inventory says.
    """
    suite = pytestconfig.stash[SUITE]

    def make(
        name: str,
        run_id: str | None,
        *,
        announced: bool = False,
        token: str | None = None,
        platform: Inventory = inventory,
    ) -> Namespace:
        place = Place(name, f"{name}.{platform.domain_name}", run_id, announced or run_id is None)
        given = platform.with_token(token) if token else platform
        run, tell = suite.run, suite.courier.send
        namespaces[name] = Namespace(
            kube,
            given,
            place,
            run.deadlines,
            run.fault_of,
            tell,
            run.witness.refused,
            run.bear_open,
            accept_downgrade=run.options.accept_downgrade,
        )
        return namespaces[name]

    return make


@pytest.fixture(scope="session")
def namespace(
    request: pytest.FixtureRequest, run: Run, make_namespace: Callable[..., Namespace]
) -> Iterator[Namespace]:
    """Own this process's namespace, in which the live release lives that most scenarios share."""
    namespace = make_namespace(run.base_name, None)
    with run.watching(namespace.kube, namespace.name):
        yield namespace
    interrupted = request.session.exitstatus == pytest.ExitCode.INTERRUPTED
    if interrupted and run.options.provider == "embedded":
        return  # whoever ends a run wants it to end; nothing outlives the cluster
    if run.options.rolls_back(failed=request.session.testsfailed > 0):
        refused: ObstructedError | None = None
        try:
            run.left += namespace.roll_back(remove_data=run.options.remove_data).left
        except ObstructedError as error:
            refused = error
        if refused:
            pytest.fail(f"the release is not rolled back: {refused}", pytrace=False)
    elif live := namespace.live():
        run.displays.append("\n".join(display(live).lines()))


@pytest.fixture(scope="session")
def fresh_names(run: Run) -> Iterator[str]:
    return (f"{run.base_name}-{run.id}-{number}" for number in itertools.count(1))


@pytest.fixture(scope="session")
def throw_away(
    run: Run, kube: Kube, fresh_names: Iterator[str], make_namespace: Callable[..., Namespace]
) -> Iterator[Callable[..., AbstractContextManager[Namespace]]]:
    """Return what lends a throw-away namespace, made as it is told to; its end is not waited for.

    What such namespaces leave is told at the end, where the cluster outlives the run.
    """

    @contextmanager
    def lend(**how: Any) -> Iterator[Namespace]:
        namespace = make_namespace(next(fresh_names), run.id, **how)
        with run.watching(namespace.kube, namespace.name):
            yield namespace
        namespace.discard()

    yield lend
    if run.options.provider != "embedded":
        run.left += removal.left_by(kube, f"{run.base_name}-{run.id}-")


@pytest.fixture
def fresh_namespace(throw_away: Callable[..., AbstractContextManager[Namespace]]) -> Iterator[Namespace]:
    """Own a namespace that this scenario alone knows."""
    with throw_away() as namespace:
        yield namespace


@pytest.fixture
def fresh_namespaces(
    throw_away: Callable[[], AbstractContextManager[Namespace]],
) -> Iterator[Callable[[], Namespace]]:
    """Own as many namespaces as this scenario asks for, of which it alone knows."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(throw_away())


@pytest.fixture(scope="module")
def issuer(
    run: Run,
    inventory: Inventory,
    throw_away: Callable[..., AbstractContextManager[Namespace]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Issuer]:
    """Own a platform whose certificate the scenarios of a feature may renew."""
    with throw_away() as home:
        yield Issuer(home.kube, inventory, home.name, run.id, tmp_path_factory.mktemp("issuer"))


@pytest.fixture(scope="module")
def issued_namespace(
    issuer: Issuer, throw_away: Callable[..., AbstractContextManager[Namespace]]
) -> Iterator[Namespace]:
    """Own a namespace under that platform's certificate."""
    with throw_away(platform=issuer.inventory) as namespace:
        yield namespace


@pytest.fixture(scope="module")
def own_namespace(throw_away: Callable[..., AbstractContextManager[Namespace]]) -> Iterator[Namespace]:
    """Own a namespace for what the scenarios of a feature do to a release."""
    with throw_away() as namespace:
        yield namespace


@pytest.fixture(scope="module")
def announced_namespace(
    run: Run, throw_away: Callable[..., AbstractContextManager[Namespace]]
) -> Iterator[Namespace]:
    """Own a namespace that the platform is told of, with a token of which every shell takes something for its own."""
    run.redactor.learn(AWKWARD_TOKEN)
    with throw_away(announced=True, token=AWKWARD_TOKEN) as namespace:
        yield namespace


@pytest.fixture(scope="module")
def code_server(announced_namespace: Namespace, deadlines: Deadlines, run_id: str) -> Iterator[Workplace]:
    """Own the place of code-server beside that namespace."""
    with Workplace(announced_namespace, deadlines, run_id) as code_server:
        yield code_server


@pytest.fixture(scope="session")
def vantage(run: Run, kube: Kube, inventory: Inventory, deadlines: Deadlines) -> Iterator[Vantage]:
    """Own the pod from which a release is seen as by a neighbour."""
    name = "-".join(filter(None, ("chroma-conformance", run.id, run.worker)))
    with Vantage(kube, inventory.vantage_image, deadlines, namespace=name, run_id=run.id) as vantage:
        yield vantage


@pytest.fixture
def database(live: Live, run_id: str) -> Iterator[Database]:
    """Own the scenario's database, reached as users reach it."""
    from support.chroma.database import Database  # noqa: PLC0415 - whose import takes a second, also for who needs none

    way, can = ingress(live.host, live.inventory), live.release.capabilities
    with Database(way, live.token, run_id, can) as database:
        yield database
