"""A database tells by its name alone whether its run can still live, and none of somebody else is taken for one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time

import pytest

from support.chroma import naming
from support.chroma.naming import OLD, name_of, owner_of
from support.core.process import started

NOW = 1_800_000_000.0
RUN = "0a0a0a0a"


def elsewhere(monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a name that another machine gives."""
    with monkeypatch.context() as patched:
        patched.setattr(naming, "machine", lambda: {"boot": "another", "processes": "pid:[1]"})
        return name_of(RUN, NOW)


def test_a_name_says_whose_it_is() -> None:
    owner = owner_of(name_of(RUN, NOW))
    assert owner
    assert (owner.run_id, owner.made, owner.pid, owner.started) == (
        RUN,
        NOW,
        os.getpid(),
        started(os.getpid()),
    )


def test_no_two_names_are_alike() -> None:
    assert len({name_of(RUN, NOW) for _ in range(100)}) == 100


def test_chroma_takes_the_name() -> None:
    assert re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9._-]{1,510}[a-zA-Z0-9]", name_of(RUN, NOW))


@pytest.mark.parametrize("age", [0.0, OLD + 1, 1000 * OLD])
def test_what_a_living_process_of_this_machine_has_is_never_dead(age: float) -> None:
    owner = owner_of(name_of(RUN, NOW))
    assert owner
    assert not owner.is_dead(NOW + age)


def test_what_an_ended_process_of_this_machine_has_is_dead_at_once() -> None:
    program = f"from support.chroma.naming import name_of; print(name_of({RUN!r}, {time.time()}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    owner = owner_of(done.stdout.strip())
    assert owner
    assert owner.is_dead(time.time())


@pytest.mark.parametrize(("age", "dead"), [(0.0, False), (OLD - 1, False), (OLD + 1, True)])
def test_what_another_machine_has_is_dead_once_it_is_old(
    monkeypatch: pytest.MonkeyPatch, age: float, dead: bool
) -> None:
    owner = owner_of(elsewhere(monkeypatch))
    assert owner
    assert owner.is_dead(NOW + age) == dead


@pytest.mark.parametrize(
    "name",
    [
        "conformance",
        "conformance-notes",
        "conformance-0a0a0a0a-0b0b0b0b",
        "conformance-0a0a0a0a-00000001-0a0a0a0a-1-1-0a0a0a0a-0a0a0a0a",
        "my-{}",
        "{}-copy",
    ],
)
def test_a_database_of_a_like_name_is_nobodys(name: str) -> None:
    assert owner_of(name.format(name_of(RUN, NOW))) is None
