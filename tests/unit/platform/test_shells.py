"""What code-server's shells get survives their quoting, and the script that puts it in place does that alone."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from support.laws.strategies import values_of_variables
from support.platform import shells

if TYPE_CHECKING:
    from pathlib import Path

VALUES = {"PLAIN": "x", "ODD": """ a "b" 'c' $HOME `id` \\ \\n ${x} $(id) !! # * ~ """, "LINES": "one\ntwo\n"}


def test_a_value_stands_between_double_quotes() -> None:
    odd = {"A": '"$`\\'}
    assert 'export A="\\"\\$\\`\\\\"' in shells.for_sh(odd)
    assert 'set -gx A "\\"\\$`\\\\"' in shells.for_fish(odd)


@pytest.mark.parametrize("name", ["", "9A", "A-B", "A B", "A;id", "A=B", "A\n"])
def test_what_is_no_name_is_not_taken(name: str) -> None:
    assert not shells.is_taken(name, "x")


def test_what_no_environment_holds_is_not_taken() -> None:
    assert shells.is_taken("A_b9", "")
    assert not shells.is_taken("A", "a\0b")


@settings(max_examples=10, deadline=None)
@given(values_of_variables())
def test_any_values_are_what_sh_reads(
    tmp_path_factory: pytest.TempPathFactory, values: tuple[str, ...]
) -> None:
    variables = {f"ANY_{number}": value for number, value in enumerate(values)}
    file = tmp_path_factory.getbasetemp() / "variables.sh"
    file.write_text(shells.for_sh(variables))
    assert environment("sh", "-c", f". {file}; exec cat /proc/self/environ").items() >= variables.items()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a home of the test's own to what is written for another one."""
    script = shells.script
    monkeypatch.setattr(
        shells, "script", lambda values: script(values).replace(shells.HOME.encode(), str(tmp_path).encode())
    )
    return tmp_path


def put(variables: dict[str, str]) -> None:
    subprocess.run(["sh", "-s"], input=shells.script(variables), check=True, env={"PATH": "/usr/bin:/bin"})


def test_the_script_tells_every_shell_and_forgets_what_is_gone(home: Path) -> None:
    (home / ".bashrc").write_text("MINE=kept")
    put(VALUES)
    put(VALUES)
    known = environment("bash", "-c", f"set -a; . {home}/.bashrc; exec cat /proc/self/environ")
    assert known.items() >= {**VALUES, "MINE": "kept"}.items()
    assert (home / ".bashrc").read_text().count("service-env-cs.sh") == 2  # in one line
    assert len((home / ".config/fish/config.fish").read_text().splitlines()) == 2
    put({"PLAIN": "y"})
    known = environment("bash", "-c", f". {home}/.bashrc; exec cat /proc/self/environ")
    assert known["PLAIN"] == "y"
    assert "ODD" not in known
    assert "ODD" not in (home / ".config/thinkube/service-env-cs.fish").read_text()


def test_what_is_put_is_executable_and_nobody_elses(home: Path) -> None:
    put(VALUES)
    for name in ("sh", "fish"):
        assert (home / f".config/thinkube/service-env-cs.{name}").stat().st_mode & 0o777 == 0o700
    assert not list(home.rglob("*.new"))


def test_a_line_of_the_platforms_own_is_enough(home: Path) -> None:
    line = f"source {home}/.config/thinkube/service-env-cs.sh\n"
    (home / ".zshrc").write_text(line)
    put(VALUES)
    assert (home / ".zshrc").read_text() == line


def environment(*argv: str) -> dict[str, str]:
    program = shutil.which(argv[0])
    assert program
    said = subprocess.run(
        [program, *argv[1:]], capture_output=True, check=True, env={"PATH": "/usr/bin:/bin"}
    )
    return dict(one.split("=", 1) for one in said.stdout.decode().split("\0") if one)
