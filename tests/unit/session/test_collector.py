"""A feature file is a module of pytest, and none of its scenarios is lost."""

from pathlib import Path

import pytest

from support.session.collector import BadFeatureError, read_feature
from tests.miniature import Miniature

STEPS = """
@given("a thing", target_fixture="thing")
def thing():
    return {"there": True}

@when("it is dropped")
def drop(thing):
    thing["there"] = False

@then("it is there")
def there(thing):
    assert thing["there"]
"""

THINGS = """
@core
Feature: Things
  Prose.

  Background:
    Given a thing

  Rule: A thing holds

    Scenario: It holds
      Then it is there

    @extended
    Scenario Outline: It does not <harm>
      Then it is there

      Examples:
        | harm |
        | bend |
        | break, or so |

  Rule: A thing can go

    Scenario: It is gone
      When it is dropped
      Then it is there
"""

OTHERS = """
@extended
Feature: Others
  Scenario: An other is there
    Given a thing
    Then it is there
"""


@pytest.fixture
def things(miniature: Miniature) -> Miniature:
    miniature.feature("things", THINGS)
    miniature.feature("others", OTHERS)
    miniature.steps(STEPS)
    return miniature


def _ids(miniature: Miniature, *arguments: str) -> list[str]:
    ran = miniature.run("--collect-only", "-q", *arguments)
    return [line.removeprefix("features/") for line in ran.out.splitlines() if "::" in line]


def test_every_scenario_and_every_example_is_a_test_of_its_feature(things: Miniature) -> None:
    assert _ids(things, "features/") == [
        "others.feature::test_an_other_is_there",
        "things.feature::test_it_holds",
        "things.feature::test_it_does_not_harm[bend]",
        "things.feature::test_it_does_not_harm[break, or so]",
        "things.feature::test_it_is_gone",
    ]
    assert things.log() == [], "collecting must not boot a cluster"


@pytest.mark.parametrize(
    ("arguments", "selected"),
    [
        (["features/others.feature"], ["others.feature::test_an_other_is_there"]),
        (["features/things.feature::test_it_holds"], ["things.feature::test_it_holds"]),
        (
            ["features/things.feature::test_it_does_not_harm[break, or so]"],
            ["things.feature::test_it_does_not_harm[break, or so]"],
        ),
        (["-k", "bend"], ["things.feature::test_it_does_not_harm[bend]"]),
        (["-k", "others"], ["others.feature::test_an_other_is_there"]),
        (
            ["-m", "core and not extended"],
            ["things.feature::test_it_holds", "things.feature::test_it_is_gone"],
        ),
    ],
)
def test_selecting_works_as_everywhere(things: Miniature, arguments: list[str], selected: list[str]) -> None:
    assert _ids(things, *arguments) == selected


def test_what_failed_last_is_run_again(things: Miniature) -> None:
    first = things.run("features/")
    again = things.run("features/", "--lf")
    assert (first.code, again.code) == (1, 1)
    assert "1 failed, 4 passed" in first.out
    assert "1 failed" in again.out
    assert "passed" not in again.out.splitlines()[-1]


def test_nothing_boots_for_ordinary_tests(things: Miniature) -> None:
    things.write("tests/test_ordinary.py", "def test_ordinary():\n    pass\n")
    for ran in (things.run("tests"), things.run_apart("tests", "-n", "1")):
        assert "1 passed" in ran.out
        assert "= conformance =" not in ran.out
    assert things.log() == []
    assert not (things.root / "reports").exists()


TWINS = """\
Feature: Twins
  Rule: One
    Scenario: {}
      Then it is there
  Rule: Two
    Scenario: {}
      Then it is there
"""


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("It holds", "It holds"),
        ("It holds", "It holds!"),
        ("It holds", "it HOLDS"),
        ("It's there", "Its there"),
    ],
)
def test_scenarios_that_would_hide_one_another_are_refused(tmp_path: Path, first: str, second: str) -> None:
    told = _refusal(tmp_path, TWINS.format(first, second))
    assert f'broken.feature:6: "{second}"' in told
    assert f'broken.feature:3: "{first}"' in told


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no feature"),
        ("Feature: A\n  Nonsense: b\n    Given c\n", "holds no scenario"),
        ("Feature: A\n  Scenario: B\n    Given c\n  Background:\n", "broken.feature:4:"),
        (
            "Feature: A\n  Scenario Outline: B\n    Then <c>\n    Examples:\n      | c |\n      | d |\n      | e |\n",
            'broken.feature:2: the title must show the case: "B"',
        ),
    ],
)
def test_a_feature_in_which_something_would_be_lost_is_refused(
    tmp_path: Path, text: str, message: str
) -> None:
    assert message in _refusal(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TWINS.format("It holds", "It holds"), 'broken.feature:6: "It holds"'),
        ("@unheard-of\nFeature: A\n  Scenario: B\n    Then c\n", "'unheard-of' not found in `markers`"),
    ],
)
def test_what_is_refused_is_an_error_and_no_verdict_of_success(
    miniature: Miniature, text: str, message: str
) -> None:
    miniature.feature("broken", text)
    ran = miniature.run("features/")
    assert ran.code == 3
    assert message in ran.out
    assert miniature.report()["verdict"] == "failure"
    assert miniature.log() == []


def _refusal(directory: Path, text: str) -> str:
    file = directory / "broken.feature"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadFeatureError) as refused:
        read_feature(file)
    return str(refused.value)


def test_an_undefined_step_fails_and_names_its_place(miniature: Miniature) -> None:
    miniature.feature("lost", "Feature: Lost\n  Scenario: Lost\n    Given nobody knows what\n")
    ran = miniature.run("features/")
    assert ran.code == 1
    assert 'Given "nobody knows what". Line 3' in ran.out


def test_one_title_can_be_asked_for(things: Miniature) -> None:
    assert _ids(things, "--scenario", "It does not bend") == ["things.feature::test_it_does_not_harm[bend]"]
    ran = things.run("features/", "--scenario", "It hold")
    assert ran.code == 4
    assert "no scenario is titled 'It hold'; did you mean 'It holds'" in ran.err
