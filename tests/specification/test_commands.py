"""`make test` goes on without a release whose image cannot be had here, and says so; with any other failure it ends."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from cluster import __main__ as cluster_command
from cluster.build.distribution import Missing
from cluster.embedded import EmbeddedProvider
from cluster.errors import ClusterError
from tests.miniature import ROOT

if TYPE_CHECKING:
    from pathlib import Path

LEFT_OUT = "The release native was left out: its image cannot be had on this machine, for the reason above."
TOOLS = ("python", "ruff", "codespell", "mypy", "lint-imports", "pytest")
TOOL = """#!/bin/bash
echo "ran: ${{0##*/}} $*"
[[ "$*" != *"--image chroma:0.5.23"* ]] || exit {code}
"""


def make_test(place: Path, code: int) -> subprocess.CompletedProcess[str]:
    """Run `make test` with tools that do nothing, of which the set-up of native's image ends with `code`."""
    for name in TOOLS:
        (place / name).write_text(TOOL.format(code=code))
        (place / name).chmod(0o755)
    command = ["make", "test", f"BIN={place}", "ENVIRONMENT=help"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_what_is_there_is_tried(tmp_path: Path) -> None:
    done = make_test(tmp_path, 0)
    assert (done.returncode, LEFT_OUT in done.stdout) == (0, False), done.stdout
    assert "ran: pytest features/ --release native" in done.stdout


def test_a_release_that_cannot_be_had_is_left_out_and_the_last_line_says_so(tmp_path: Path) -> None:
    done = make_test(tmp_path, 3)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, LEFT_OUT), done.stdout
    assert "ran: pytest features/" in done.stdout
    assert "--release native" not in done.stdout


def test_a_set_up_that_fails_ends_the_run(tmp_path: Path) -> None:
    done = make_test(tmp_path, 1)
    assert done.returncode != 0
    assert LEFT_OUT not in done.stdout


@pytest.mark.parametrize(("error", "code"), [(Missing("no libstdc++"), 3), (ClusterError("no network"), 1)])
def test_set_up_tells_what_cannot_be_had_from_what_failed(
    error: ClusterError, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: EmbeddedProvider) -> None:
        raise error

    monkeypatch.setattr(EmbeddedProvider, "prepare", fail)
    monkeypatch.setattr(
        "sys.argv", ["cluster", "setup", "--recipes", "manifests/images", "--image", "chroma:0.5.23"]
    )
    monkeypatch.chdir(ROOT)
    assert cluster_command.main() == code
    assert capsys.readouterr().err == f"error: {error}\n"
