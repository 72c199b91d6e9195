"""The worked example of CONTRIBUTING.md can be followed: its sentences, steps and fault fit what is there."""

from __future__ import annotations

import ast
import builtins
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from pytest_bdd import parsers
from pytest_bdd.steps import step_function_context_registry

from steps import collections
from support.release.faults import Fault
from support.session.collector import read_feature
from tests.samples import rendered, validate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_bdd.parser import ScenarioTemplate
    from pytest_bdd.steps import StepFunctionContext

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
BEHIND = ROOT / "features/collections.feature"


def block(language: str) -> str:
    """Return the one block of the page in a language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.fixture
def scenario(tmp_path: Path) -> ScenarioTemplate:
    """Return the example's scenario, read in its feature; one who follows the example has written it there already."""
    rule, _, scenario = block("gherkin").partition("\n")
    there = BEHIND.read_text(encoding="utf-8").replace(scenario, "")
    before, found, after = there.partition(f"{rule}\n")
    assert found, f"{BEHIND.name} has no {rule.strip()!r}"
    without, whole = tmp_path / "without.feature", tmp_path / "whole.feature"
    without.write_text(there, encoding="utf-8")
    whole.write_text(f"{before}{found}{scenario}\n{after}", encoding="utf-8")
    old = read_feature(without).scenarios
    (added,) = [one for name, one in read_feature(whole).scenarios.items() if name not in old]
    return added


def test_its_first_steps_exist_and_the_others_are_those_it_defines(scenario: ScenarioTemplate) -> None:
    defined = list(_definitions())
    texts = {parser.name for _, parser in defined}
    registered = [one for one in step_function_context_registry.values() if _is_of_steps(one)]
    known = [one.parser for one in registered if one.parser.name not in texts]
    new = [step for step in scenario.steps if not any(parser.is_matching(step.name) for parser in known)]
    assert new == scenario.steps[-2:]
    for step, (kind, parser) in zip(new, defined, strict=True):
        assert (step.type, parser.is_matching(step.name)) == (kind, True), step


def test_its_steps_name_nothing_that_their_module_lacks() -> None:
    nodes = list(ast.walk(ast.parse(block("python"))))
    given = {node.arg for node in nodes if isinstance(node, ast.arg)}
    named = {node.id for node in nodes if isinstance(node, ast.Name)}
    there = set(re.findall(r"\w+", (ROOT / "steps/collections.py").read_text(encoding="utf-8")))
    assert not named - given - there - set(vars(builtins))


def test_its_fault_fits_the_release_and_names_its_scenario(
    scenario: ScenarioTemplate, tmp_path: Path
) -> None:
    stated: dict[str, Any] = yaml.safe_load(block("yaml"))
    stated["caught_by"]["feature"] = BEHIND.stem  # as its folder says
    file = tmp_path / "fault.yaml"
    file.write_text(yaml.safe_dump(stated))
    fault = Fault.load(str(file))
    assert fault.caught_by.scenario == scenario.name
    objects = rendered(tmp_path, namespace="chroma", run_id="r1")
    spoiled = fault.spoil(objects)
    assert spoiled != objects
    validate(spoiled)


def test_its_commands_name_its_scenario_and_its_fault(scenario: ScenarioTemplate) -> None:
    assert set(re.findall(r'--scenario "([^"]+)"', TEXT)) == {scenario.name}
    (file,) = re.findall(r"`manifests/faults/collections/([\w-]+)\.yaml`", TEXT)
    assert set(re.findall(r"(?:--fault|faults -k) ([\w-]+)", TEXT)) == {file}


def _is_of_steps(one: StepFunctionContext) -> bool:
    return one.step_func.__module__.startswith("steps.")


def _definitions() -> Iterator[tuple[str, parsers.StepParser]]:
    """Yield the kind and the parser of each step that the example defines."""
    for function in ast.parse(block("python")).body:
        assert isinstance(function, ast.FunctionDef)
        (call,) = function.decorator_list
        assert isinstance(call, ast.Call)
        assert isinstance(call.func, ast.Name)
        text = call.args[0]
        if isinstance(text, ast.Call):
            yield call.func.id, collections.parse(ast.literal_eval(text.args[0]))
        else:
            yield call.func.id, parsers.string(ast.literal_eval(text))
