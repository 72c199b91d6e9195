"""Called from any directory, pytest knows the suite's options, and leaves the projects of others alone."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.miniature import Miniature

ROOT = Path(__file__).parents[3]
KUBECONFIG = """
clusters: [{name: there}]
contexts: [{name: there, context: {cluster: there}}]
current-context: there
"""
INVENTORY = "domain_name: example.org\n"
FEATURE = """
@core
Feature: Things
  Scenario: One holds
    Given a thing

  Scenario: Another holds
    Given a thing
"""
# Of somebody who has no idea of the suite, but has options of the same names, and a package of the same name.
THEIRS = {
    "pytest.ini": "[pytest]\n",
    "conftest.py": """
def pytest_addoption(parser):
    parser.addoption("--release")
    parser.addoption("--kubeconfig")
""",
    "support/__init__.py": "WHOSE = 'theirs'\n",
    "test_theirs.py": """
import sys

def test_theirs(pytestconfig):
    import support
    assert support.WHOSE == "theirs"
    assert pytestconfig.getoption("--release") == "1.0"
    assert not [name for name in sys.modules if name.startswith(("steps", "support."))]
""",
}


@pytest.fixture
def installed(miniature: Miniature) -> Miniature:
    miniature.feature("things", FEATURE)
    miniature.steps("""
        @given("a thing")
        def thing():
            pass
    """)
    miniature.install()
    miniature.environ["ADMIN_PASSWORD"] = "a-password-of-sixteen"
    return miniature


@pytest.fixture
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("elsewhere")
    (directory / "inventory.yaml").write_text(INVENTORY)
    return directory


@pytest.fixture
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("theirs")
    for name, text in THEIRS.items():
        (directory / name).parent.mkdir(exist_ok=True)
        (directory / name).write_text(text)
    return directory


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "with workers"])
@pytest.mark.parametrize("place", ["in the checkout", "elsewhere"])
def test_a_blank_may_stand_before_a_file_and_no_path_need_be_given(
    installed: Miniature, elsewhere: Path, place: str, workers: tuple[str, ...]
) -> None:
    here = elsewhere if place == "elsewhere" else installed.root
    given = "inventory.yaml" if place == "elsewhere" else str(elsewhere / "inventory.yaml")
    ran = installed.run_apart("--inventory", given, *workers, cwd=here)
    assert (ran.code, ran.err) == (0, ""), ran.out
    assert f"rootdir: {installed.root}\nconfigfile: pytest.ini" in ran.out
    assert "2 passed" in ran.out
    told = f"features: {installed.root}/features, since no path is given"
    assert (told in ran.out) == (place == "elsewhere")
    assert installed.log() == ["created by main", "deleted by main"]
    assert installed.report()["verdict"] == "success"
    assert sorted(path.name for path in elsewhere.iterdir()) == ["inventory.yaml"]


def test_what_pytest_ini_demands_holds_elsewhere(installed: Miniature, elsewhere: Path) -> None:
    installed.feature("things", FEATURE.replace("@core", "@unheard-of"))
    ran = installed.run_apart("--inventory", "inventory.yaml", cwd=elsewhere)
    assert "'unheard-of' not found in `markers`" in ran.out


def test_an_inventory_that_lies_in_another_project_does_not_lead_there(
    installed: Miniature, theirs: Path
) -> None:
    (theirs / "inventory.yaml").write_text(INVENTORY)
    ran = installed.run_apart("--inventory", str(theirs / "inventory.yaml"))
    assert (ran.code, "2 passed" in ran.out) == (0, True), ran.out + ran.err


def test_a_command_asks_at_the_terminal_as_it_does_in_the_checkout(
    installed: Miniature, elsewhere: Path
) -> None:
    installed.fixtures("""
        import sys

        def pytest_sessionstart(session):
            session.config.pluginmanager.get_plugin("capturemanager").suspend(in_=True)
            print("heard:", sys.stdin.readline())
    """)
    process = installed.start("--inventory", "inventory.yaml", cwd=elsewhere, stdin=subprocess.PIPE)
    out, _ = process.communicate("yes\n")
    assert "heard: yes" in out


@pytest.mark.parametrize(
    ("place", "arguments", "told"),
    [
        ("elsewhere", ["--relase", "x"], "ERROR: --relase: did you mean --release?\n"),
        ("elsewhere", ["--require", "cor"], "argument --require: cor: unknown; did you mean core?"),
        ("elsewhere", ["--kubeconfig"], "argument --kubeconfig: expected one argument"),
        ("checkout", ["features/", "--relase", "x"], "ERROR: --relase: did you mean --release?\n"),
        (
            "checkout",
            ["--stat", "--kubconfig=x"],
            "--stat: did you mean --status?\n  --kubconfig: did you mean --kubeconfig?",
        ),
    ],
    ids=str,
)
def test_near_misses_are_named(
    installed: Miniature, elsewhere: Path, place: str, arguments: list[str], told: str
) -> None:
    ran = installed.run_apart(*arguments, cwd=elsewhere if place == "elsewhere" else installed.root)
    assert (ran.code, ran.out) == (pytest.ExitCode.USAGE_ERROR, "")
    assert told in ran.err
    assert installed.log() == []


def test_what_is_like_no_option_of_the_suite_is_pytests_to_refuse(
    installed: Miniature, elsewhere: Path
) -> None:
    ran = installed.run_apart("--maxfial=3", cwd=elsewhere)
    assert ran.code == pytest.ExitCode.USAGE_ERROR
    assert f"unrecognized arguments: --maxfial=3\n  inifile: None\n  rootdir: {elsewhere}" in ran.err


def test_help_explains_the_options_elsewhere_too(installed: Miniature, elsewhere: Path) -> None:
    assert "\nchroma-conformance: " in installed.run_apart("--help", cwd=elsewhere).out


@pytest.mark.parametrize(
    "arguments", [(), (".",), ("{theirs}",), ("{theirs}/test_theirs.py::test_theirs",)], ids=str
)
def test_projects_of_others_are_left_alone(
    installed: Miniature, theirs: Path, elsewhere: Path, arguments: tuple[str, ...]
) -> None:
    named = [argument.format(theirs=theirs) for argument in arguments]
    here = elsewhere if any(str(theirs) in argument for argument in named) else theirs
    ran = installed.run_apart("--release", "1.0", *named, cwd=here)
    assert (ran.code, "1 passed" in ran.out) == (0, True), ran.out + ran.err
    assert installed.log() == []


def test_their_help_does_not_tell_of_the_suite(installed: Miniature, theirs: Path) -> None:
    assert "chroma-conformance:" not in installed.run_apart("--help", cwd=theirs).out


def test_this_environment_has_the_suite_as_it_lies_here(elsewhere: Path) -> None:
    assert (distribution("chroma-conformance").read_text("direct_url.json") or "").find(ROOT.as_uri()) > 0
    (elsewhere / "kubeconfig").write_text(KUBECONFIG)
    ran = _pytest(
        "--kubeconfig",
        "kubeconfig",
        "--collect-only",
        "-q",
        "--scenario",
        "A new collection exists, and is empty",
        cwd=elsewhere,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "features/collections.feature::" in ran.stdout


def _pytest(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("pytest")), *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
