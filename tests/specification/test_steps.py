"""The specification and its vocabulary fit: each sentence means one thing, and no word is idle."""

from __future__ import annotations

import ast
import importlib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pytest_bdd.steps import StepFunctionContext, step_function_context_registry

from support.reporting.scenario import LEVELS
from support.session.collector import examples, read_feature

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_bdd.parser import Feature, ScenarioTemplate, Step

ROOT = Path(__file__).parents[2]
FEATURES = sorted((ROOT / "features").rglob("*.feature"))
MODULES = sorted(f"steps.{file.stem}" for file in (ROOT / "steps").glob("[a-z]*.py"))
# More of them no reader keeps in mind (CONTRIBUTING.md).
MOST_STEPS, MOST_BACKGROUND = 6, 2
# What steps of many features say, and the words that they take.
SHARED = {"releases", "vocabulary"}
# Of a feature's stem: its steps, what they demand, and the tests of that. True: there is one for each feature.
OF_A_STEM = {"steps": True, "support/checks": True, "tests/unit/checks": False}

each_feature = pytest.mark.parametrize("file", FEATURES, ids=lambda file: file.stem)


@pytest.fixture(scope="module")
def definitions() -> list[StepFunctionContext]:
    for module in MODULES:
        importlib.import_module(module)
    known = step_function_context_registry.values()
    return [one for one in known if one.step_func.__module__ in MODULES]


def test_all_modules_of_steps_are_loaded(pytestconfig: pytest.Config) -> None:
    loaded = [module for module in MODULES if pytestconfig.pluginmanager.has_plugin(module)]
    with_steps = {one.step_func.__module__ for one in step_function_context_registry.values()}
    assert {module for module in MODULES if module in with_steps} == set(loaded)


@pytest.mark.parametrize(("place", "each"), OF_A_STEM.items())
def test_the_stem_of_a_feature_leads_to_what_is_behind_it(place: str, each: bool) -> None:
    features = {file.stem for file in FEATURES}
    files = {
        file.stem.removeprefix("test_") for file in (ROOT / place).glob("[a-z]*") if file.name != "README.md"
    }
    assert files - SHARED <= features, f"{place} holds what no feature has the stem of"
    assert not each or features <= files, f"{place} lacks what a feature stands on"


@each_feature
def test_every_step_has_exactly_one_definition(file: Path, definitions: list[StepFunctionContext]) -> None:
    wrong = set()
    for step in _steps(read_feature(file)):
        meanings = [_told(one) for one in definitions if _means(one, step)]
        if len(meanings) != 1:
            wrong.add(f"{file.name}:{step.line_number}: {step}: {meanings or 'no definition'}")
    assert not wrong, "\n".join(sorted(wrong))


def test_every_definition_has_a_use(definitions: list[StepFunctionContext]) -> None:
    said = [step for file in FEATURES for step in _steps(read_feature(file))]
    idle = [_told(one) for one in definitions if not any(_means(one, step) for step in said)]
    assert not idle, "no feature says: " + "\n".join(idle)


def test_lifetimes_are_owned_by_the_package_of_fixtures_alone() -> None:
    outside = [ROOT / "conftest.py", *(ROOT / "steps").glob("*.py"), *(ROOT / "support").rglob("*.py")]
    owners = [
        f"{file.relative_to(ROOT)}:{function.lineno}"
        for file in outside
        if file.parent.name != "fixtures"
        for function in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef)
        and any("pytest.fixture" in ast.unparse(one) for one in function.decorator_list)
        and any(isinstance(node, ast.Yield) for node in ast.walk(function))
    ]
    assert not owners, "what ends at the end of a scenario belongs to support/fixtures: " + ", ".join(owners)


def test_no_two_features_have_one_name() -> None:
    names = Counter(read_feature(file).name.casefold() for file in FEATURES)
    assert [name for name, times in names.items() if times > 1] == []


@each_feature
def test_a_feature_reads_as_a_specification(file: Path) -> None:
    feature = read_feature(file)
    wrong = []
    if not feature.name or not feature.description.strip():
        wrong.append(f"{file.name}: a feature has a name, and prose under it")
    for template in feature.scenarios.values():
        wrong += [f"{file.name}:{template.line_number}: {fault}" for fault in _faults(template)]
    assert not wrong, "\n".join(wrong)


def _faults(template: ScenarioTemplate) -> Iterator[str]:
    own = template.steps[len(template.all_background_steps) :]
    kinds = [step.type for step in template.steps]
    if any(step.type != "given" for step in template.all_background_steps):
        yield "a Background only gives"
    if len(template.all_background_steps) > MOST_BACKGROUND or len(own) > MOST_STEPS:
        yield f"at most {MOST_BACKGROUND} lines of Background and {MOST_STEPS} steps"
    if kinds != sorted(kinds, key=["given", "when", "then"].index) or kinds[-1:] != ["then"]:
        yield "first Given, then When, then Then, and none without a Then"
    if kinds.count("when") > 1:
        yield "one act a scenario"
    if not template.rule:
        yield "a scenario is an example of a Rule"
    for facts in examples(template, ""):
        if sum(level in facts.tags for level in LEVELS) != 1:
            yield f"exactly one level of {LEVELS}, not {facts.tags}"
        if facts.line and "<" in facts.name:
            yield f"a title whose case is not filled in: {facts.name}"


def _steps(feature: Feature) -> Iterator[Step]:
    for template in feature.scenarios.values():
        contexts = [context for table in template.examples for context in table.as_contexts()]
        for context in contexts or [{}]:
            yield from template.render(context).steps


def _means(definition: StepFunctionContext, step: Step) -> bool:
    return definition.type == step.type and bool(definition.parser.is_matching(step.name))


def _told(definition: StepFunctionContext) -> str:
    function = definition.step_func
    return f"{function.__module__}.{function.__name__}: {definition.type} {definition.parser.name!r}"
