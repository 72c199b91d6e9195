"""Options that cannot be followed are told at once, all together, and before anything is touched."""

from pathlib import Path
from typing import Any

import pytest

from support.commands import COMMANDS as CARRIED_OUT
from support.commands import ERRANDS, command
from support.session.command_line import COMMANDS
from support.session.options import Options
from tests.miniature import Miniature

TARGET = Path(__file__).parents[3] / "docs/targets/bearer.yaml"
KUBECONFIG = """
clusters: [{name: there}]
contexts: [{name: staging}, {name: live}]
current-context: staging
"""


def _options(**given: Any) -> Options:
    usual: dict[str, Any] = {
        "provider": "embedded",
        "kubeconfig": None,
        "context": None,
        "endpoint": None,
        "target": None,
        "tenant": "default_tenant",
        "database": "default_database",
        "platform_kubeconfig": None,
        "inventory": None,
        "release": "gateway",
        "changes": (),
        "namespace": "chroma",
        "host": None,
        "fault": None,
        "accept_insecure": False,
        "accept_downgrade": False,
        "roll_back": "always",
        "remove_data": False,
        "apply_changes": False,
        "yes": False,
        "patience": 1.0,
        "time_limit": None,
        "report_dir": Path("reports"),
        "scenario": None,
        "require": None,
        "without": (),
        "capabilities": frozenset(),
        "verify": False,
        "read_only": False,
        "vantage_namespace": None,
        "budget": (),
        "profile": "dev",
        "seed": "",
        "command": None,
        "argument": "",
        "revision": None,
    }
    return Options(**{**usual, **given})


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    file = tmp_path / "kubeconfig"
    file.write_text(KUBECONFIG)
    return file


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"provider": "external"}, "--provider external needs --kubeconfig FILE"),
        ({"context": "live"}, "--context names a context of a kubeconfig: add --kubeconfig FILE"),
        ({"kubeconfig": Path("/nowhere")}, "/nowhere: cannot be read (No such file or directory)"),
        ({"platform_kubeconfig": Path("/nowhere")}, "--platform-kubeconfig is for a cluster of yours"),
        (
            {"provider": "auto", "platform_kubeconfig": Path("/nowhere")},
            "--platform-kubeconfig /nowhere: cannot be read (No such file or directory)",
        ),
        ({"inventory": Path("/nowhere")}, "--inventory /nowhere: no such file"),
        ({"namespace": "Chroma"}, "--namespace Chroma: must be small letters"),
        ({"namespace": "c" * 41}, "have at most 40 characters"),
        ({"patience": 0.0}, "--patience 0: must be a number above 0"),
        ({"patience": float("nan")}, "--patience nan: must be a number above 0"),
        ({"patience": float("inf")}, "--patience inf: must be a number above 0"),
        *(
            ({"time_limit": limit}, f"--time-limit {limit:g}: must be a number of seconds above 0")
            for limit in (0.0, -1.0, float("nan"), float("inf"), 1e300)
        ),
        ({"report_dir": Path(__file__)}, "is a file, not a directory"),
        ({"command": "status"}, "--status needs a cluster that is there already: add --kubeconfig FILE"),
        ({"command": "backup", "argument": "chroma.tar"}, "--backup needs a cluster that is there already"),
        ({"command": "restore", "argument": ""}, "--restore needs the name of a file"),
        ({"verify": True}, "--verify looks at a release that lives: add --kubeconfig FILE"),
        ({"verify": True, "release": "native"}, "takes the release as it lives: leave out --release"),
        ({"verify": True, "command": "status"}, "--verify is a run of features: leave out --status"),
        ({"verify": True, "read_only": True, "fault": "x"}, "--read-only takes the release as it lives"),
        ({"vantage_namespace": "here"}, "add --verify or --read-only"),
        (
            {"verify": True, "target": Path("/nowhere")},
            "--target /nowhere: no such file; give a YAML file as",
        ),
        ({"verify": True, "target": TARGET}, "--target looks at a release that lives: add --kubeconfig FILE"),
        (
            {"verify": True, "target": TARGET, "namespace": "x"},
            "--target says in its file where it is: leave out",
        ),
        ({"verify": True, "target": TARGET, "release": "native"}, "--target takes the release as it lives"),
        (
            {"verify": True, "target": TARGET, "accept_insecure": True},
            "--without authentication concedes that",
        ),
        (
            {"endpoint": "http://localhost", "target": TARGET},
            "asks no cluster: leave out --provider, --target",
        ),
        ({"verify": True, "vantage_namespace": "Here"}, "--vantage-namespace Here: must be small letters"),
        ({"budget": ("request=1",)}, "--budget request=1: unknown; did you mean requests?"),
        ({"budget": ("records=0",)}, "--budget records=0: give a number above 0, such as records=20000"),
        (
            {"command": "back_to", "revision": "two"},
            "--back-to two: give the number of a revision, as --history shows it",
        ),
        (
            {"command": "backup", "argument": "b", "keep": 0},
            "--keep 0: give with --backup DIRECTORY how many",
        ),
        ({"command": "restore", "argument": "b", "keep": 3}, "--keep 3: give with --backup DIRECTORY"),
        ({"command": None, "keep": 3}, "--keep 3: give with --backup DIRECTORY"),
        ({"command": "plan", "revision": "0"}, "--back-to 0: give the number of a revision"),
        ({"command": "plan", "revision": "1"}, "--plan needs a cluster that is there already"),
        ({"profile": "lazy"}, "--hypothesis-profile lazy: unknown; there are dev, ci and soak"),
    ],
    ids=str,
)
def test_each_wrong_option_is_told_with_its_remedy(given: dict[str, Any], told: str) -> None:
    assert any(told in line for line in _options(**given).complaints())


@pytest.mark.parametrize(
    ("content", "context", "told"),
    [
        (KUBECONFIG, None, None),
        (KUBECONFIG, "live", None),
        (KUBECONFIG, "elsewhere", "has no context 'elsewhere'; it has: staging, live"),
        (
            KUBECONFIG.replace("current-context: staging", ""),
            None,
            "has no current context; add --context, one of: staging",
        ),
        ("just text", None, "names no cluster"),
        ("{", None, "is not YAML"),
    ],
)
def test_a_kubeconfig_has_to_hold_the_context(
    kubeconfig: Path, content: str, context: str | None, told: str | None
) -> None:
    kubeconfig.write_text(content)
    complaints = _options(provider="external", kubeconfig=kubeconfig, context=context).complaints()
    assert complaints == [] if told is None else any(told in line for line in complaints)


def test_the_embedded_cluster_brings_its_own_kubeconfig(kubeconfig: Path) -> None:
    (told,) = _options(kubeconfig=kubeconfig).complaints()
    assert told == "--provider embedded boots its own cluster: leave out --kubeconfig"


@pytest.mark.parametrize(
    ("roll_back", "failed", "rolls_back"),
    [
        ("always", False, True),
        ("always", True, True),
        ("on-failure", False, False),
        ("on-failure", True, True),
        ("never", False, False),
        ("never", True, False),
    ],
)
def test_a_release_is_rolled_back_when_asked(roll_back: str, failed: bool, rolls_back: bool) -> None:
    assert _options(roll_back=roll_back).rolls_back(failed=failed) is rolls_back


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--patience", "0", "--context", "a"], ["--patience 0", "add --kubeconfig FILE"]),
        (["--release", "nonesuch"], ["no release is named 'nonesuch'"]),
        (["--fault", "nonesuch"], ["no fault is named 'nonesuch'"]),
        (["--roll-back", "alwayz"], ["argument --roll-back: alwayz: unknown; did you mean always?"]),
        (["--set", "chroma.memories=3Gi"], ["chroma.memories: unknown; did you mean memory?"]),
    ],
)
def test_a_run_with_wrong_options_touches_nothing(
    miniature: Miniature, arguments: list[str], told: list[str]
) -> None:
    miniature.feature("a", "Feature: A\n  Scenario: B\n    Given c\n")
    ran = miniature.run("features/", *arguments)
    assert ran.code == 4
    for words in told:
        assert words in ran.err
    assert "Traceback" not in ran.err
    assert miniature.log() == []


def test_every_option_is_explained(miniature: Miniature) -> None:
    told = miniature.run("--help").out.partition("chroma-conformance:")[2]
    for option in (
        "provider",
        "kubeconfig",
        "context",
        "inventory",
        "release",
        "fault",
        "roll-back",
        "remove-data",
    ):
        assert f"--{option}" in told
    assert miniature.log() == []


def test_every_command_that_may_be_asked_for_is_carried_out() -> None:
    assert set(COMMANDS) == {*CARRIED_OUT, *ERRANDS}
    assert all(callable(command(name)) for name in CARRIED_OUT)


def test_a_job_is_written_for_a_mode_that_its_run_has() -> None:
    assert _options(provider="embedded", command="job", verify=True, release=None).complaints() == []


def test_a_job_that_verifies_is_printed(miniature: Miniature) -> None:
    miniature.feature("first", "Feature: A\n  Scenario: B\n    Then it holds\n")
    miniature.write("staging.yaml", "harbor_registry: harbor.example.com")
    ran = miniature.run("features/", "--job", "--verify", "--inventory=staging.yaml")
    assert (ran.code, "- --verify" in ran.out, miniature.log()) == (0, True, []), ran.err


def test_a_plan_takes_what_is_conceded_to_the_run_after_it(tmp_path: Path) -> None:
    # As docs/recipes/acceptance.sh hands the same words to both.
    given = {"provider": "external", "kubeconfig": tmp_path, "without": ("gateway-api",)}
    assert not [line for line in _options(**given, command="plan").complaints() if "--without" in line]
    assert [line for line in _options(**given, command=None).complaints() if "--without" in line]
