"""The recipes are files that run as they stand: what they are made of exists, and the page tells of each."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.miniature import ROOT
from tests.specification.test_docs import options

if TYPE_CHECKING:
    from pathlib import Path

    from tests.miniature import Miniature

RECIPES = ROOT / "docs" / "recipes"
SCRIPTS = sorted(RECIPES.glob("*.sh"))
# Stands in for pytest: it says what it was given, a line for each run.
PYTEST = """#!/bin/bash
printf '%s\\n' "${*@Q}"
"""

each_script = pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)


def runs_of(script: Path, place: Path, *arguments: str, **environ: str) -> list[list[str]]:
    """Return the arguments of each pytest that a recipe starts, in a checkout in which that does nothing."""
    program = place / ".venv" / "bin" / "pytest"
    program.parent.mkdir(parents=True)
    program.write_text(PYTEST)
    program.chmod(0o755)
    usual = {
        "ADMIN_PASSWORD": "token",
        "CLUSTER": "of mine",
        "INVENTORY": "staging.yaml",
        "PATH": os.environ["PATH"],
    }
    done = subprocess.run(
        [script, *arguments], cwd=place, env={**usual, **environ}, capture_output=True, text=True, check=True
    )
    written = [file.read_text() for file in (place / "reports").rglob("*") if file.is_file()]
    return [shlex.split(line) for text in (*written, done.stdout) for line in text.splitlines()]


def test_the_page_tells_of_each() -> None:
    page = (RECIPES / "README.md").read_text(encoding="utf-8")
    files = {file.name for file in RECIPES.iterdir()} - {"README.md"}
    assert set(re.findall(r"\]\(([\w-]+\.\w+)\)", page)) == files


@each_script
def test_the_options_of_a_recipe_exist(script: Path, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    runs = runs_of(script, tmp_path, "-n", "3")
    assert runs, "it has run nothing"
    assert runs[-1][-2:] == ["-n", "3"], "what is added does not reach the run"
    for run in runs:
        assert run[0] == "features/"
        asked = {argument.partition("=")[0] for argument in run if argument.startswith("--")}
        assert not asked - options(pytestconfig)
        assert "--kubeconfig=of mine" in run


@each_script
def test_the_values_of_a_recipe_can_be_followed(script: Path, tmp_path: Path, miniature: Miniature) -> None:
    """They are read as a real run reads them, up to the cluster, which is named by a file that is not there."""
    miniature.feature("first", "@core\nFeature: A\n  Scenario: B\n    Then it holds\n")
    miniature.environ["ADMIN_PASSWORD"] = "token"
    miniature.write("staging.yaml", "{}")
    for run in runs_of(script, tmp_path):
        ran = miniature.run(*run)
        assert ran.code == 4
        told = [line for line in ran.err.splitlines() if line.startswith("  --")]
        assert [line.strip().partition(":")[0] for line in told] == [f"--kubeconfig {miniature.root}/of mine"]


@each_script
def test_a_recipe_says_what_it_lacks(script: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [script], cwd=tmp_path, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    lacking = {"nightly.sh": "CLUSTER: the kubeconfig"}.get(script.name, "ADMIN_PASSWORD: ")
    assert lacking in done.stderr


def test_the_workflow_runs_the_gate_and_waits_longer_than_its_limit() -> None:
    job = yaml.safe_load((RECIPES / "gate.yml").read_text(encoding="utf-8"))["jobs"]["gate"]
    (step,) = [one for one in job["steps"] if "gate.sh" in one.get("run", "")]
    script = (RECIPES / "gate.sh").read_text(encoding="utf-8")
    wanted = set(re.findall(r"\$\{(\w+):\?", script))
    assert wanted <= set(step["env"])
    (limit,) = re.findall(r"--time-limit=(\d+)", script)
    assert job["timeout-minutes"] * 60 >= int(limit) + 300
    assert all(re.search(r"@[0-9a-f]{40}$", one["uses"]) for one in job["steps"] if "uses" in one)
    uploaded = [one["with"]["path"] for one in job["steps"] if "upload" in one.get("uses", "")]
    assert f"--report-dir={uploaded[0]}" in script
