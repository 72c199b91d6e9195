"""Whose a cluster is stands in its order, and not in its name."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cluster.runs import Living, Run, Runs
from cluster.spec import Spec


@pytest.fixture
def claim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Run]]:
    """Claim a name for a cluster that lives as long as the test."""
    monkeypatch.setattr("cluster.runs._COVERED", ())
    runs: list[Run] = []

    def claimed(name: str) -> Run:
        runs.append(Runs(tmp_path).claim(name))
        return runs[-1]

    yield claimed
    for run in runs:
        run.remove()


def living(root: Path) -> Living:
    (found,) = Runs(root).living()
    return found


@pytest.mark.parametrize("name", ["run-mine", "run-1", "main"])
@pytest.mark.parametrize("of_run", [True, False])
def test_whose_a_cluster_is_does_not_hang_on_its_name(
    claim: Callable[[str], Run], tmp_path: Path, name: str, of_run: bool
) -> None:
    spec = Spec(name, "", {}, "", {}, [], "", 1.0, 0.0, of_run=of_run)
    claim(name).files.spec.write_text(spec.dump())
    assert living(tmp_path).is_of_run == of_run


def test_a_cluster_whose_order_is_not_written_yet_is_nobodys(
    claim: Callable[[str], Run], tmp_path: Path
) -> None:
    claim("run-mine")
    assert not living(tmp_path).is_of_run
