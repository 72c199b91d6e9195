"""Each scenario says by its tags what it does to a cluster and to a release, so that a mode which forbids that leaves it out.

What a scenario does is found in the code: in the fixtures of its steps, and in what their functions call. Where that does not
show it, `BESIDES` does. During a run `support/kube` and `support/network` refuse what a mode forbids.
"""

from __future__ import annotations

import ast
import importlib
import inspect
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from pytest_bdd.steps import StepFunctionContext, step_function_context_registry

from support.reporting.scenario import DEPLOYING, DISRUPTIVE, NEEDS, WRITING
from support.session.collector import examples, read_feature

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import ModuleType

    from pytest_bdd.parser import Step

ROOT = Path(__file__).parents[2]
FEATURES = sorted((ROOT / "features").rglob("*.feature"))
STEPS = sorted(f"steps.{file.stem}" for file in (ROOT / "steps").glob("[a-z]*.py"))
FIXTURES = sorted(f"support.fixtures.{file.stem}" for file in (ROOT / "support/fixtures").glob("[a-z]*.py"))

# Fixtures that put something on the cluster. The vantage's pod is not among them: a mode may have it.
MAKERS: Final = frozenset(
    {
        "throw_away",
        "backup_runner",
        "other_run",
        "late_names",
        "neighbourhood",
        "interventions_of_others",
        "disruptions",
        "finalizer_object",
        "created_foreign_objects",
        "kept_volume",
    }
)
# Fixtures by which collections and records are written.
WRITERS: Final = frozenset({"database", "pool_of"})
# Methods of `Namespace` that change what is deployed, or ask for the rights to (a plan is an apply that the API server tries).
ACTS: Final = frozenset({"apply", "plan", "roll_back", "scale", "revive", "hindrance", "ensure_rolled_back"})
# Methods of `Kube` that change something.
VERBS: Final = frozenset({"apply", "create", "delete", "patch"})
# What neither shows, by its title: a tag, and why.
BESIDES: Final = {
    "Users are served while callers without a token keep connections through the ingress": (
        DEPLOYING,
        "it takes hundreds of connections of an ingress that others use",
    ),
    "The example in <language> runs as shown": (
        DEPLOYING,
        "as shown it writes into the default database, where users keep what is theirs",
    ),
    **dict.fromkeys(
        (
            "The heartbeat is the only open endpoint",
            "Without a token only endpoints that reveal no data answer",
            "A request that resembles the heartbeat gives no data: another method",
            "Past the ingress a request that resembles the heartbeat is refused: another method",
            "A request for another protocol is refused: an unknown protocol with a body, without a token",
            "The refusal of a large body arrives",
            "The refusal of a body beyond the limit arrives",
            "No answer holds the token",
        ),
        (WRITING, "it sends what would write if it were accepted"),
    ),
}


@dataclass
class Found:
    """One example of a scenario, with what it needs and why."""

    place: str
    name: str
    tags: tuple[str, ...]
    needs: dict[str, str] = field(default_factory=dict)


@cache
def scenarios() -> list[Found]:
    return [found for file in FEATURES for found in _of_feature(file)]


@pytest.mark.parametrize("capability", [DEPLOYING, WRITING])
def test_a_scenario_carries_the_tag_of_what_it_does(capability: str) -> None:
    lacking = [
        f"{one.place}: {one.name!r} lacks @{NEEDS}{capability}: {one.needs[capability]}"
        for one in scenarios()
        # Who may deploy may write.
        if capability in one.needs and not {NEEDS + capability, NEEDS + DEPLOYING} & set(one.tags)
    ]
    assert not lacking, "\n".join(lacking)


@pytest.mark.parametrize("capability", [DEPLOYING, WRITING])
def test_no_scenario_is_left_out_for_nothing(capability: str) -> None:
    idle = [
        f"{one.place}: {one.name!r} does nothing for which it needs @{NEEDS}{capability}"
        for one in scenarios()
        if NEEDS + capability in one.tags and capability not in one.needs
    ]
    # A tag on a feature or a Rule says it of all of its scenarios, though one of them may only look.
    assert not [line for line in idle if not line.startswith(tuple(_tagged_as_a_whole(capability)))], idle


def test_what_interrupts_the_release_changes_the_cluster() -> None:
    calm = [one.name for one in scenarios() if DISRUPTIVE in one.tags and NEEDS + DEPLOYING not in one.tags]
    assert calm == []


def test_what_the_code_does_not_show_is_named_by_titles_that_exist() -> None:
    assert set(BESIDES) <= {one.name for one in scenarios()} | _titles()


def _of_feature(file: Path) -> Iterator[Found]:
    for template in read_feature(file).scenarios.values():
        contexts = [context for table in template.examples for context in table.as_contexts()] or [{}]
        for facts, context in zip(examples(template, file.name), contexts, strict=True):
            found = Found(f"{file.stem}:{facts.line}", facts.name, facts.tags)
            for title in (facts.name, template.name):
                if title in BESIDES:
                    found.needs.update([BESIDES[title]])
            _judge(found, [_definition(step) for step in template.render(context).steps])
            yield found


def _judge(found: Found, steps: list[StepFunctionContext]) -> None:
    given = {step.target_fixture for step in steps if step.target_fixture}
    wanted = {name for step in steps for name in inspect.signature(step.step_func).parameters}
    fixtures = _closure(wanted, given)
    for capability, names in ((DEPLOYING, MAKERS), (WRITING, WRITERS)):
        if names & fixtures:
            found.needs.setdefault(capability, f"it has the fixtures {sorted(names & fixtures)}")
    for step in steps:
        if acts := _acts(step.step_func.__module__, step.step_func.__name__):
            found.needs.setdefault(DEPLOYING, f"{step.step_func.__name__} leads to {sorted(acts)}")


def _definition(step: Step) -> StepFunctionContext:
    _loaded()
    return next(
        one
        for one in step_function_context_registry.values()
        if one.step_func.__module__ in STEPS and one.type == step.type and one.parser.is_matching(step.name)
    )


@cache
def _loaded() -> dict[str, list[str]]:
    """Load steps and fixtures, and return the fixtures that each fixture asks for, by its name."""
    asked: dict[str, list[str]] = {}
    for module in map(importlib.import_module, (*STEPS, *FIXTURES)):
        for name, value in vars(module).items():
            if function := getattr(value, "_get_wrapped_function", None):
                asked.setdefault(name, list(inspect.signature(function()).parameters))
    return asked


def _closure(wanted: Iterable[str], given: set[str]) -> set[str]:
    """Return all fixtures that some lead to; what a step gives leads no further, since its own fixtures are wanted as well."""
    seen: set[str] = set()
    todo = list(wanted)
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += [] if name in given else _loaded().get(name, [])
    return seen


@cache
def _acts(module: str, name: str) -> frozenset[str]:
    """Return what a function of steps or of support/checks does to a cluster, itself or by what it calls there."""
    return frozenset(_find(module, name, set()))


def _find(module: str, name: str, seen: set[tuple[str, str]]) -> Iterator[str]:
    if (module, name) in seen or not module.startswith(("steps.", "support.checks.")):
        return
    seen.add((module, name))
    tree, imported = _source(module)
    for definition in tree.body:
        if isinstance(definition, ast.FunctionDef | ast.ClassDef) and definition.name == name:
            for node in ast.walk(definition):
                if isinstance(node, ast.Call):
                    yield from _called(node.func, module, imported, seen)


def _called(
    function: ast.expr, module: str, imported: dict[str, str], seen: set[tuple[str, str]]
) -> Iterator[str]:
    if isinstance(function, ast.Name):
        home, _, name = imported.get(function.id, f"{module}.{function.id}").rpartition(".")
        yield from _find(home, name, seen)
    elif isinstance(function, ast.Attribute):
        receiver = ast.unparse(function.value)
        changes = function.attr in VERBS and receiver.split(".")[-1] in {"kube", "_kube"}
        acts = function.attr in ACTS and receiver not in {"plan", "notes"}
        if receiver in imported:
            yield from _find(imported[receiver], function.attr, seen)
        elif changes or acts:
            yield f"{receiver}.{function.attr} in {module}"


@cache
def _source(module: str) -> tuple[ast.Module, dict[str, str]]:
    """Return a module's code, and what each imported name stands for."""
    loaded: ModuleType = importlib.import_module(module)
    tree = ast.parse(Path(str(loaded.__file__)).read_text(encoding="utf-8"))
    imported: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            imported |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
    return tree, imported


def _templates() -> Iterator[Any]:
    for file in FEATURES:
        for template in read_feature(file).scenarios.values():
            yield file, template


def _titles() -> set[str]:
    return {template.name for _, template in _templates()}


def _tagged_as_a_whole(capability: str) -> set[str]:
    tag = NEEDS + capability
    return {
        f"{file.stem}:{template.line_number}:"
        for file, template in _templates()
        if tag in template.feature.tags or (template.rule and tag in template.rule.tags)
    }
