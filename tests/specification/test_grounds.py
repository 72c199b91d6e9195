"""Scenarios that need a cluster, or a way inside one, say so: a run that is about an address, or a target, leaves them out."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from pytest_bdd.steps import StepFunctionContext, step_function_context_registry

from support.reporting.scenario import KUBERNETES, NEEDS, VANTAGE
from support.session.collector import examples, read_feature

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_bdd.parser import ScenarioTemplate, Step

ROOT: Final = Path(__file__).parents[2]
FEATURES: Final = sorted((ROOT / "features").rglob("*.feature"))
MODULES: Final = sorted(f"steps.{file.stem}" for file in (ROOT / "steps").glob("[a-z]*.py"))
TAG: Final = NEEDS + KUBERNETES
INSIDE_TAG: Final = NEEDS + VANTAGE
# A fixture that is a cluster, and the types of what only a cluster or a deployment has.
CLUSTER: Final = {"access", "inventory", "kube", "release_under_test"}
OF_A_CLUSTER: Final = {"Live", "Namespace"}
# How a step says that it goes by a way inside a cluster; "by every route" is by those that there are.
INSIDE: Final = ("through the Service", "at the pod's address")


@pytest.fixture(scope="module")
def arguments() -> Mapping[str, Mapping[str, str]]:
    """What each fixture and each step asks for, with the type that it says, by its name."""
    found: dict[str, Mapping[str, str]] = {}
    for file in (*(ROOT / "support" / "fixtures").glob("*.py"), *(ROOT / "steps").glob("*.py")):
        for function in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef) and any(map(_matters, function.decorator_list)):
                key = function.name if file.parent.name == "fixtures" else f"{file.stem}.{function.name}"
                found[key] = _asked(function)
                if any(_name(one) == "fixture" for one in function.decorator_list):
                    found[function.name] = _asked(function)
    return found


@pytest.fixture(scope="module")
def definitions() -> list[StepFunctionContext]:
    for module in MODULES:
        importlib.import_module(module)
    return [one for one in step_function_context_registry.values() if one.step_func.__module__ in MODULES]


@pytest.mark.parametrize("file", FEATURES, ids=lambda file: file.stem)
def test_what_needs_a_cluster_or_a_way_inside_one_says_so_and_nothing_else_does(
    file: Path, arguments: Mapping[str, Mapping[str, str]], definitions: list[StepFunctionContext]
) -> None:
    wrong = []
    for template in read_feature(file).scenarios.values():
        for known, context in zip(examples(template, file.name), _contexts(template), strict=True):
            reasons = list(_reasons(template, context, arguments, definitions))
            # What a release of this suite has, has ways inside its cluster.
            inside = [] if reasons else [step for step in _steps(template, context) if _is_inside(step)]
            for tag, why in ((TAG, reasons), (INSIDE_TAG, inside)):
                if bool(why) != (tag in known.tags):
                    wrong.append(f"{known.place}: {known.name}: @{tag}: {why or 'no step of it needs that'}")
    assert not wrong, "these are to carry the tag, or not:\n" + "\n".join(wrong)


def test_a_run_on_an_address_loads_the_steps_that_it_needs(definitions: list[StepFunctionContext]) -> None:
    needed = {
        _meaning(step, definitions).step_func.__module__
        for file in FEATURES
        for template in read_feature(file).scenarios.values()
        for known, context in zip(examples(template, file.name), _contexts(template), strict=True)
        if TAG not in known.tags
        for step in template.render(context).steps
    }
    assert needed == {name for name in _of_addresses() if name.startswith("steps.")}


def test_the_fixtures_that_are_followed_exist(arguments: Mapping[str, Mapping[str, str]]) -> None:
    assert arguments.keys() >= CLUSTER


def _contexts(template: ScenarioTemplate) -> list[Mapping[str, str]]:
    return [context for table in template.examples for context in table.as_contexts()] or [{}]


def _of_addresses() -> tuple[str, ...]:
    """Return what conftest.py loads for a run that is about an address."""
    tree = ast.parse((ROOT / "conftest.py").read_text(encoding="utf-8"))
    (value,) = [
        one.value
        for one in tree.body
        if isinstance(one, ast.AnnAssign) and ast.unparse(one.target) == "OF_ADDRESSES" and one.value
    ]
    found: tuple[str, ...] = ast.literal_eval(value)
    return found


def _reasons(
    template: ScenarioTemplate,
    context: Mapping[str, str],
    arguments: Mapping[str, Mapping[str, str]],
    definitions: list[StepFunctionContext],
) -> Iterator[str]:
    """Say why a scenario needs a cluster."""
    made: set[str] = set()
    for step in template.render(context).steps:
        definition = _meaning(step, definitions)
        words = definition.parser.parse_arguments(step.name) or {}
        function = definition.step_func
        asked = arguments[f"{function.__module__.removeprefix('steps.')}.{function.__name__}"]
        for name, kind in asked.items():
            if name not in words and (through := _way_to_cluster(name, kind, made, arguments)):
                yield f'"{step.name}" uses {through}'
        if definition.target_fixture:
            made.add(definition.target_fixture)


def _steps(template: ScenarioTemplate, context: Mapping[str, str]) -> list[str]:
    return [step.name for step in template.render(context).steps]


def _is_inside(step: str) -> bool:
    return any(words in step for words in INSIDE)


def _way_to_cluster(name: str, kind: str, made: set[str], arguments: Mapping[str, Mapping[str, str]]) -> str:
    """Return through which fixtures one leads to a cluster; empty where it does not."""
    if kind in OF_A_CLUSTER or name in CLUSTER:
        return name
    if name in made or name not in arguments:
        return ""
    for other, its_kind in arguments[name].items():
        if through := _way_to_cluster(other, its_kind, made, arguments):
            return f"{name} > {through}"
    return ""


def _meaning(step: Step, definitions: list[StepFunctionContext]) -> StepFunctionContext:
    (found,) = [
        one for one in definitions if one.type in {None, step.type} and one.parser.is_matching(step.name)
    ]
    return found


def _asked(function: ast.FunctionDef) -> Mapping[str, str]:
    return {
        one.arg: ast.unparse(one.annotation) if one.annotation else ""
        for one in (*function.args.args, *function.args.kwonlyargs)
    }


def _matters(decorator: ast.expr) -> bool:
    return _name(decorator) in {"fixture", "given", "when", "then"}


def _name(decorator: ast.expr) -> str:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return (
        called.attr
        if isinstance(called, ast.Attribute)
        else called.id
        if isinstance(called, ast.Name)
        else ""
    )
