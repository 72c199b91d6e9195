"""Index directories on a claim are counted by what the container has to list files with, and their growth is told."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from support.deploy.footprint import Footprint, footprint, measuring_growth
from support.kube.client import Exec
from support.kube.errors import ApiError

ONE, OTHER = "0fa0b339-69bd-4207-b0cf-4c988ab99e7f", "1fa0b339-69bd-4207-b0cf-4c988ab99e7f"
DU = f"100\t/data/{ONE}/header.bin\n400\t/data/{ONE}/length.bin\n4596\t/data/{ONE}\n9\t/data/chroma.sqlite3\n8701\t/data\n"
PYTHON = f"9\t/data/chroma.sqlite3\n100\t/data/{ONE}/header.bin\n28\t/data/{OTHER}/header.bin\ndone\n"


@pytest.mark.parametrize(
    ("program", "said", "seen"),
    [
        ("du", DU, Footprint(1, 500)),
        ("du", "9\t/data/chroma.sqlite3\n4105\t/data\n", Footprint()),
        ("python3", PYTHON, Footprint(2, 128)),
        ("python3.11", "done\n", Footprint()),
    ],
)
def test_directories_are_counted_by_the_program_that_is_there(
    program: str, said: str, seen: Footprint
) -> None:
    assert footprint(live({program: said})) == seen


def test_files_that_nothing_can_list_are_told() -> None:
    with pytest.raises(LookupError, match=r"files of chroma .*no du.*no python3.*broken"):
        footprint(live({"python3.11": "broken"}))


@pytest.mark.parametrize(
    ("before", "claims", "after", "told"),
    [
        ("done", True, PYTHON, "2 (0.0 MiB), 2 (0.0 MiB) of them from this run"),
        (PYTHON, True, PYTHON, "2 (0.0 MiB), 0 (0.0 MiB) of them from this run"),
        (None, False, PYTHON, "2 (0.0 MiB), 2 (0.0 MiB) of them from this run"),
        (None, True, PYTHON, "2 (0.0 MiB)"),
        (PYTHON, True, None, None),
        (PYTHON, True, "broken", None),
    ],
    ids=["grown", "as it was", "no claim before", "no release before", "no release after", "unreadable"],
)
def test_the_growth_of_a_run_is_told(
    before: str | None, claims: bool, after: str | None, told: str | None
) -> None:
    said = [before, after]

    def recalled() -> Any:
        now = said.pop(0)
        return now and live({"python3": f"{now}\n"})

    kube = SimpleNamespace(list=lambda _kind, _namespace: [{}] if claims else [])
    namespace = cast("Any", SimpleNamespace(name="chroma", kube=kube, recalled=recalled))
    measured: dict[str, str] = {}
    with measuring_growth(namespace, measured):
        pass
    assert measured == ({"index directories on the claim of chroma": told} if told else {})


def live(programs: dict[str, str]) -> Any:
    def run(_namespace: str, _pod: str, _container: str, argv: list[str], _timeout: float) -> Exec:
        assert argv[-1] == "/data"
        if argv[0] not in programs:
            raise ApiError(0, "InternalError", f"no {argv[0]}")
        return Exec(0, programs[argv[0]].encode(), b"")

    release = SimpleNamespace(chroma=SimpleNamespace(data="/data"))
    return cast("Any", SimpleNamespace(namespace="chroma", release=release, kube=SimpleNamespace(exec=run)))
