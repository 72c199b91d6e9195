"""Makes a pytest module of a feature file: a test for each scenario, and for each example of an outline."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest
from pytest_bdd import scenario
from pytest_bdd.exceptions import GherkinParseError
from pytest_bdd.feature import get_feature
from pytest_bdd.gherkin_parser import Child, get_gherkin_document
from pytest_bdd.parser import Feature, ScenarioTemplate
from pytest_bdd.scenario import make_python_name

from support.core.errors import SuiteError
from support.core.validation import meant, unknown
from support.reporting.scenario import Scenario

if TYPE_CHECKING:
    from support.release.faults import Catch

# What an outline's item carries besides its tags.
_MARKS_OF_PYTEST = frozenset({"parametrize", "usefixtures"})


class BadFeatureError(SuiteError):
    """A feature file that cannot be collected as it is written."""


class FeatureFile(pytest.Module):
    """A feature as a module, so that node ids, `--lf`, `--dist loadfile` and module scope all mean the feature."""

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """Collect the scenarios; raises `CollectError` for a feature in which one would hide another."""
        try:
            feature = read_feature(self.path)
        except BadFeatureError as error:
            raise self.CollectError(str(error)) from error
        self.obj = ModuleType(self.path.stem)
        for name in feature.scenarios:
            test = scenario(str(self.path), name, features_base_dir="")(_nothing_more)
            setattr(self.obj, _test_name(name), pytest.mark.usefixtures("capabilities")(test))
        templates = {_test_name(name): template for name, template in feature.scenarios.items()}
        for item in super().collect():
            if isinstance(item, pytest.Function):
                _describe(item, templates[item.originalname])
            yield item


def read_feature(file: Path) -> Feature:
    """Read a feature file; raises `BadFeatureError` if pytest-bdd would lose one of its scenarios."""
    try:
        document = get_gherkin_document(str(file))
    except KeyError:
        raise BadFeatureError(f"{file.name}: holds no feature") from None
    except GherkinParseError as error:
        raise BadFeatureError(f"{file.name}:{error.line}: {error.message}\n{error.line_content}") from None
    seen: dict[str, str] = {}
    for name, line in _titles(document.feature.children):
        # pytest-bdd keeps scenarios by name, and pytest tests by what is left of it without punctuation.
        twin = seen.setdefault(_test_name(name), f'{file.name}:{line}: "{name}"')
        if twin != f'{file.name}:{line}: "{name}"':
            raise BadFeatureError(
                f'{file.name}:{line}: "{name}"\nhas the name of another scenario, but for punctuation and case:\n{twin}'
            )
    if not seen:
        raise BadFeatureError(f"{file.name}: holds no scenario")
    feature = get_feature(str(file.parent), file.name)
    for template in feature.scenarios.values():
        names = [facts.name for facts in examples(template, file.name)]
        if len(set(names)) < len(names):
            raise BadFeatureError(
                f'{file.name}:{template.line_number}: the title must show the case: "{template.name}"'
            )
    return feature


def examples(template: ScenarioTemplate, file: str) -> Iterator[Scenario]:
    """Yield what is known of each example of a scenario; a plain scenario is its own only example."""
    contexts = [(context, table.tags) for table in template.examples for context in table.as_contexts()]
    for context, tags in contexts or [({}, set())]:
        yield _facts(template, file, context, tags)


def all_scenarios(root: Path) -> list[Scenario]:
    """List every scenario below `root`/features, whatever is selected to run; unreadable features are left out."""
    found: list[Scenario] = []
    for path in sorted((root / "features").rglob("*.feature")):
        try:
            feature = read_feature(path)
        except BadFeatureError:  # collecting it says so
            continue
        for template in feature.scenarios.values():
            found += examples(template, path.relative_to(root).as_posix())
    return found


def unknown_title(title: str | None, scenarios: Iterable[Scenario]) -> str:
    """Say that no scenario has a title, with those that come near; empty when one has, or none was asked for."""
    titles = {scenario.name for scenario in scenarios}
    if title is None or title in titles:
        return ""
    remedy = meant(title, titles, show=repr) or "give a title as it stands in features/"
    return f"no scenario is titled {title!r}; {remedy}"


def uncatchable(catch: "Catch", scenarios: Sequence[Scenario]) -> str:
    """Say that there is no such scenario as the one that must catch a fault, with those that come near; else empty."""
    features = {Path(scenario.file).stem for scenario in scenarios}
    if catch.feature not in features:
        return f"caught_by.feature: {unknown(catch.feature, features)}"
    wrong = unknown_title(catch.scenario, [one for one in scenarios if Path(one.file).stem == catch.feature])
    return f"caught_by.scenario: {wrong} (in {catch.feature})" if wrong else ""


def is_titled(item: pytest.Item, title: str) -> bool:
    """Whether a test is a scenario of this title."""
    scenario = Scenario.among(item.user_properties)
    return scenario is not None and scenario.name == title


def _describe(item: pytest.Function, template: ScenarioTemplate) -> None:
    """Let every report of the item say which scenario it is about, and where that stands."""
    file = item.path.relative_to(item.config.rootpath).as_posix()
    callspec = getattr(item, "callspec", None)
    context = callspec.params["_pytest_bdd_example"] if callspec else {}
    facts = _facts(template, file, context, {mark.name for mark in item.iter_markers()})
    item.user_properties += facts.properties()
    item.location = (file, facts.line - 1, facts.name)


def _facts(
    template: ScenarioTemplate, file: str, context: Mapping[str, object], tags: Iterable[str]
) -> Scenario:
    rule = template.rule
    all_tags = {*tags, *template.tags, *template.feature.tags, *(rule.tags if rule else ())}
    return Scenario(
        file=file,
        line=template.line_number,
        feature=template.feature.name,
        rule=rule.name if rule else "",
        name=template.render(context).name,
        tags=tuple(sorted(all_tags - _MARKS_OF_PYTEST)),
    )


def _titles(children: Iterable[Child]) -> Iterator[tuple[str, int]]:
    for child in children:
        if child.scenario:
            yield child.scenario.name, child.scenario.location.line
        if child.rule:
            yield from _titles(child.rule.children)


def _test_name(title: str) -> str:
    return f"test_{make_python_name(title)}"


def _nothing_more() -> None:
    """Stand where a test's body would: the steps say all."""
