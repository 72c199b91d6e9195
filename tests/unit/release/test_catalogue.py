"""A release comes by name, from a file of one's own, and with single changes; what is wrong is told with what was meant."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from support.release import catalogue
from support.release.catalogue import changed, load, options_of, shares_fate, variant
from support.release.release import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], str]:
    """Return what writes a release file of a user's own, and names its path."""

    def write(text: str) -> str:
        file = tmp_path / "mine.yaml"
        file.write_text(text)
        return str(file)

    return write


def test_a_file_of_ones_own_extends_a_release_by_name(written: Callable[[str], str]) -> None:
    release = load(written("{extends: gateway, title: t, claim: {size: 20Gi}}"))
    assert (release.name, release.claim.size) == ("mine", "20Gi")
    assert release.chroma.image == load("gateway").chroma.image


def test_a_file_extends_another_beside_it(written: Callable[[str], str], tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("{extends: gateway, title: b, claim: {size: 20Gi}}")
    assert load(written("{extends: base.yaml, title: t}")).claim.size == "20Gi"


@pytest.mark.parametrize(
    ("change", "request_", "limit"),
    [
        ("chroma.memory=3Gi", "512Mi", "3Gi"),
        ("chroma.memory=256Mi", "256Mi", "256Mi"),  # never more asked for than there may be
        ("chroma.memory.request=1Gi", "1Gi", "2Gi"),
        ("chroma.memory={request: 1Gi, limit: 1Gi}", "1Gi", "1Gi"),
    ],
)
def test_memory_is_written_as_people_do(change: str, request_: str, limit: str) -> None:
    memory = load("gateway", [change]).chroma.memory
    assert (memory.request, memory.limit) == (request_, limit)


def test_a_number_serves_as_a_text() -> None:
    release = load("gateway", ["chroma.cpu=2", "chroma.environment.CHROMA_PORT=8002"])
    assert (release.chroma.cpu.limit, release.chroma.environment["CHROMA_PORT"]) == ("2", "8002")


def test_changes_come_one_after_the_other() -> None:
    assert load("gateway", ["claim.size=20Gi", "claim.size=30Gi"]).claim.size == "30Gi"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("chroma.memry=3Gi", "chroma.memry: unknown; did you mean memory?"),
        (
            "chroma.memory=3GB",
            "chroma.memory.limit: '3GB' has a unit that Kubernetes does not know: did you mean 3G?",
        ),
        ("chroma.memory=3", "did you mean 3Gi or 3Mi?"),
        (
            "chroma.memory={request: 3Gi, limit: 2Gi}",
            "chroma.memory: its request of 3Gi is above its limit of 2Gi",
        ),
        ("replicas=2", "replicas: Chroma keeps its data in files that one process may write"),
        ("discovery=loud", "discovery: Input should be 'safe' or 'documented'"),
        ("chroma.memory", "write KEY=VALUE"),
        (".x=1", "write KEY=VALUE"),
        ("claim.size=[", "the value is not YAML"),
        ("name=other", "a release has the name of its file"),
    ],
)
def test_a_wrong_change_is_told_with_what_was_meant(change: str, message: str) -> None:
    with pytest.raises(ReleaseError) as raised:
        load("gateway", [change])
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{extends: gatewy, title: t}", "no release is named 'gatewy'; did you mean gateway?"),
        ("{extends: mine.yaml, title: t}", "extends itself: mine -> mine"),
        ("{extends: the release under test, title: t}", "only a scenario knows"),
        ("{extends: absent.yaml, title: t}", "cannot be read: No such file"),
    ],
)
def test_a_wrong_file_is_told(written: Callable[[str], str], text: str, message: str) -> None:
    with pytest.raises(ReleaseError) as raised:
        load(written(text))
    assert message in str(raised.value)


@pytest.mark.parametrize("name", catalogue.variants())
def test_what_only_scenarios_apply_is_offered_to_nobody(name: str) -> None:
    with pytest.raises(ReleaseError, match=f"no release is named '{name}'"):
        load(name)


def test_a_scenarios_release_differs_from_whichever_is_under_test() -> None:
    changed = load("gateway", ["claim.size=20Gi"])
    assert variant("rejected", changed).claim.size == "20Gi"
    assert shares_fate("rejected", "mine")
    assert not shares_fate("floating-tag", "mine")


@pytest.mark.parametrize(
    ("name", "changes", "options"),
    [
        ("gateway", [], ""),
        ("native", [], "--release native"),
        ("gateway", ["chroma.memory=3Gi"], "--set chroma.memory.limit=3Gi"),
        ("gateway", ["gateway.accept_bearer=true"], "--set gateway.accept_bearer=true"),
        (
            "native",
            ["claim.size=20Gi", "chroma.memory={request: 1Gi, limit: 3Gi}"],
            "--release native --set chroma.memory.request=1Gi --set chroma.memory.limit=3Gi --set claim.size=20Gi",
        ),
    ],
    ids=str,
)
def test_a_release_tells_the_options_that_ask_for_it(name: str, changes: list[str], options: str) -> None:
    release = load(name, changes)
    assert options_of(release) == options
    words = options.split()
    again = [word for flag, word in itertools.pairwise(words) if flag == "--set"]
    assert load(name, again) == release


def test_a_release_of_ones_own_is_told_as_a_file(written: Callable[[str], str]) -> None:
    assert options_of(load(written("{extends: gateway, title: t}"))) == "--release FILE"


def test_a_release_is_changed_as_by_the_command_line() -> None:
    assert changed(load("gateway"), ["claim.size=20Gi"]) == load("gateway", ["claim.size=20Gi"])
    with pytest.raises(ReleaseError, match="did you mean memory"):
        changed(load("gateway"), ["chroma.memry=3Gi"])
