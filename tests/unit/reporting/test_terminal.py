"""A run reads as the specification does, on a terminal and where there is none."""

import re

import pytest

from support.reporting.buffer import FeatureBuffer
from support.reporting.scenario import Scenario
from support.reporting.verdict import Result
from tests.miniature import Miniature

FEATURES = {
    "first": """
        @core
        Feature: First things
          Rule: Things hold

            Scenario: It holds
              Given a long time
              Then it holds

            Scenario: It holds again
              Then it holds

          Rule: Things break

            Scenario: It breaks
              Then it breaks
        """,
    "second": """
        @core
        Feature: Second things
          @needs-networkpolicy
          Scenario: It needs more
            Then it holds

          Scenario: It is told last
            Then it holds
        """,
}

STEPS = """
@given("a long time")
def long_time(pytestconfig):
    from support.reporting.progress import ProgressPlugin
    for plugin in pytestconfig.pluginmanager.get_plugins():
        if isinstance(plugin, ProgressPlugin):
            plugin.send("pod chroma-0: ContainerCreating")
    print("what a step prints is no progress")

@then("it holds")
def holds(): pass

@then("it breaks")
def breaks():
    assert False, "the promise is broken"
"""


@pytest.fixture
def two_features(miniature: Miniature) -> Miniature:
    for name, text in FEATURES.items():
        miniature.feature(name, text)
    miniature.steps(STEPS)
    return miniature


def _told(out: str) -> list[str]:
    """Return what is told of the scenarios, without durations."""
    story = out.partition("booting in miniature\n")[2].partition("\n====")[0]
    return [re.sub(r" +\d+\.\d s", "", line).rstrip() for line in story.splitlines() if line.strip()]


STORY = [
    "First things",
    "  Things hold",
    "      pod chroma-0: ContainerCreating",
    "    ✓ It holds",
    "    ✓ It holds again",
    "  Things break",
    "    ✗ It breaks",
    "        AssertionError: the promise is broken",
    "Second things",
    "    - It needs more",
    "        the cluster miniature has no networkpolicy",
    "    ✓ It is told last",
]


def test_a_run_reads_as_the_specification(two_features: Miniature) -> None:
    ran = two_features.run("features/")
    assert _told(ran.out) == STORY
    assert re.search(r"^    ✓ It holds +\d+\.\d s$", ran.out, re.MULTILINE)
    assert "\x1b" not in ran.out, "no terminal, no colours"
    assert "\r" not in ran.out
    failures = ran.out.partition("FAILURES")[2]
    assert "promised: Then it breaks  (features/first.feature:16)" in failures
    assert "seen:     the promise is broken" in failures
    assert "where:    steps/releases.py:" in failures
    assert "call_fixture_func" not in failures, "no machinery between the step and its reader"
    ending = failures.partition("conformance")[2]
    for words in (
        "boot of the cluster",
        "First things",
        "core: FAILURE (3 passed, 1 failed, 1 skipped)",
        "junit.xml",
    ):
        assert words in ending


def test_workers_do_not_tear_features_apart(two_features: Miniature) -> None:
    ran = two_features.run_apart("features/", "-n", "2")
    told = [line for line in _told(ran.out) if "workers" not in line]
    told = [line for line in told if not re.match(r"      \[gw\d\] pod chroma-0: ContainerCreating", line)]
    first, second = STORY[:2] + STORY[3:8], STORY[8:]
    assert told in (first + second, second + first)
    assert re.search(r"^      \[gw\d\] pod chroma-0: ContainerCreating$", ran.out, re.MULTILINE)


def test_a_terminal_forgets_progress(two_features: Miniature) -> None:
    two_features.environ |= {"TERM": "xterm", "COLUMNS": "80"}
    out = two_features.run("features/", terminal=True).out
    assert "\x1b[32m    ✓\x1b[0m It holds" in out
    assert "\x1b[31m" in out
    assert "pod chroma-0: ContainerCreating\x1b[0m\r\x1b[2K" in out
    screen = [line.rpartition("\x1b[2K")[2] for line in out.replace("\r\n", "\n").split("\n")]
    seen = [re.sub(r"\x1b\[[\d;]*m", "", line) for line in screen]
    assert [line for line in seen if "ContainerCreating" in line] == []
    assert [line for line in seen if "It holds again" in line] == [f"    ✓ {'It holds again':<65}   0.0 s"]


def test_who_wants_no_colours_gets_none(two_features: Miniature) -> None:
    two_features.environ |= {"TERM": "xterm", "NO_COLOR": "1"}
    out = two_features.run("features/", terminal=True).out
    assert "\x1b[32m" not in out
    assert "✓ It holds" in out


def test_quietly_a_feature_is_a_line(two_features: Miniature) -> None:
    out = two_features.run("features/", "-q").out
    told = [re.sub(r" +\d+\.\d s", "", line) for line in out.splitlines()]
    assert told[0:2] == ["✗ First things: 2 passed, 1 failed", "- Second things: 1 skipped, 1 passed"]
    assert "ContainerCreating" not in out


def test_verbosely_a_scenario_says_where_it_stands(two_features: Miniature) -> None:
    out = two_features.run("features/", "-v").out
    assert re.search(r"✓ It holds again +\d\.\d s  features/first.feature:10", out)


def test_the_header_is_pytests(two_features: Miniature) -> None:
    assert "platform" in two_features.run("features/").out
    assert "platform" not in two_features.run("features/", "--no-header").out


def test_an_output_of_plain_letters_is_enough(two_features: Miniature) -> None:
    two_features.environ |= {
        "PYTHONUTF8": "0",
        "PYTHONIOENCODING": "ascii",
        "LC_ALL": "C",
        "PYTHONCOERCECLOCALE": "0",
    }
    out = two_features.run_apart("features/").out
    assert "    ok     It holds" in out
    assert "    FAILED It breaks" in out


def test_ordinary_tests_are_told_as_ever(two_features: Miniature) -> None:
    two_features.write("tests/test_ordinary.py", "def test_ordinary():\n    pass\n")
    out = two_features.run("tests", "features/second.feature").out
    assert "tests/test_ordinary.py ." in out
    assert "    ✓ It is told last" in out
    assert "2 passed, 1 skipped" in out


def _result(feature: str, name: str) -> Result:
    scenario = Scenario(f"features/{feature}.feature", 1, feature, "", name, ())
    return Result(f"{feature}::{name}", scenario, "passed", 0.0)


def test_pages_wait_for_the_one_that_is_read() -> None:
    told: list[str] = []
    feature_buffer = FeatureBuffer(lambda result: told.append(result.nodeid))
    feature_buffer.expect(f"features/{name}.feature" for name in "aabbbcc")
    for feature, name, so_far in (
        ("a", "1", "a1"),
        ("b", "1", "a1"),
        ("c", "1", "a1"),
        ("b", "2", "a1"),
        ("c", "2", "a1"),
        ("a", "2", "a1 a2 c1 c2 b1 b2"),  # c has ended, and so goes before b, which goes on
        ("b", "3", "a1 a2 c1 c2 b1 b2 b3"),
    ):
        feature_buffer.add(_result(feature, name))
        assert [one.replace("::", "") for one in told] == so_far.split()


def test_pages_tell_what_has_not_ended() -> None:
    told: list[str] = []
    feature_buffer = FeatureBuffer(lambda result: told.append(result.nodeid))
    feature_buffer.expect(["features/a.feature"] * 2 + ["features/b.feature"] * 2)
    feature_buffer.add(_result("a", "1"))
    feature_buffer.add(_result("b", "1"))
    assert told == ["a::1"]
    feature_buffer.close()
    assert told == ["a::1", "b::1"]


def test_the_reports_need_no_terminal(two_features: Miniature) -> None:
    ran = two_features.run("features/", "-p", "no:terminal")
    assert (ran.code, ran.out) == (1, "")
    assert two_features.report()["levels"]["core"]["passed"] == 3


OUTLINE = """
    @core
    Feature: Numbers
      Rule: They are good

        Scenario Outline: Number <number> is good
          Then <number> is good

          Examples:
            | number |
            | 1      |
            | 2      |
            | 3      |
            | 4      |
            | 15     |
            | 16     |
            | 7      |
    """
GOOD = """
@then(parse("{number:d} is good"))
def good(number):
    assert number < 10, "it is too large"
"""


def test_further_examples_that_came_to_the_same_are_one_line(miniature: Miniature) -> None:
    miniature.feature("numbers", OUTLINE)
    miniature.steps(GOOD)
    assert _told(miniature.run("features/").out) == [
        "Numbers",
        "  They are good",
        "    ✓ Number 1 is good",
        "    ✓ and 3 more examples",
        "    ✗ Number 15 is good",
        "        AssertionError: it is too large",
        "    ✗ Number 16 is good",
        "    ✓ Number 7 is good",
    ]
    verbose = miniature.run("features/", "-v").out
    assert all(f"Number {number} is good" in verbose for number in (1, 2, 3, 4, 15, 16, 7))


STAGE = """
@given("a long time")
def long_time(pytestconfig):
    from support.reporting.progress import ProgressPlugin
    (plugin,) = (one for one in pytestconfig.pluginmanager.get_plugins() if isinstance(one, ProgressPlugin))
    plugin.send_stage("pod chroma-0: ready")

@then("it holds")
def holds(): pass

@then("it breaks")
def breaks(): pass
"""


@pytest.mark.parametrize(("option", "shown"), [("", False), ("-v", True)])
def test_a_log_leaves_out_what_every_rollout_passes(
    two_features: Miniature, option: str, shown: bool
) -> None:
    two_features.steps(STAGE)
    ran = two_features.run("features/", *filter(None, [option]))
    assert ("      pod chroma-0: ready\n" in ran.out) is shown


def test_a_log_shows_a_stage_where_nothing_else_has_been_for_a_while(two_features: Miniature) -> None:
    two_features.steps(STAGE)
    two_features.fixtures("""
        from support.reporting import terminal
        terminal._QUIET = 0
    """)
    assert "      pod chroma-0: ready\n" in two_features.run("features/").out
