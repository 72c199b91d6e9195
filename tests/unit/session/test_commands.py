"""A command imports what it needs alone: what scenarios need takes longer to import than a command takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
import yaml

from support.commands import COMMANDS

ROOT: Final = Path(__file__).resolve().parents[3]
# Of each, at least a tenth of a second; pytest takes three.
HEAVY: Final = {
    "_hypothesis_pytestplugin",
    "chromadb",
    "cryptography",
    "execnet",
    "httpx",
    "hypothesis",
    "jinja2",
    "junitparser",
    "kubernetes",
    "langchain_core",
    "llama_index",
    "numpy",
    "pytest_bdd",
    "steps",
    "xdist",
}
# What renders a release, or looks into the platform's certificate before it acts, needs these.
NEEDED: Final = {"cryptography", "jinja2"}
LOOKING: Final = ("--status", "--status=json", "--notes", "--history")
ACTING: Final = (
    "--plan",
    "--apply",
    "--remove",
    "--back-to=1",
    "--backup=b.tar",
    "--restore=b.tar",
    "--sweep",
)

ASK: Final = """
import json, sys, pytest
code = pytest.main(sys.argv[2:])
from support.commands import command
command(sys.argv[1])
print("MODULES", json.dumps([int(code), sorted({name.partition(".")[0] for name in sys.modules})]))
"""


def imported(tmp_path: Path, option: str) -> tuple[int, set[str]]:
    """Return how a command ended where no cluster answers, and all that it had imported then."""
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(
        yaml.safe_dump(
            {
                "current-context": "here",
                "contexts": [{"name": "here", "context": {"cluster": "one", "user": "jo"}}],
                "clusters": [{"name": "one", "cluster": {"server": "http://127.0.0.1:1"}}],
                "users": [{"name": "jo", "user": {"token": "a"}}],
            }
        )
    )
    name = option.removeprefix("--").partition("=")[0].replace("-", "_")
    done = subprocess.run(
        [sys.executable, "-c", ASK, name, "features/", option, f"--kubeconfig={kubeconfig}"],
        cwd=ROOT,
        env={**os.environ, "ADMIN_PASSWORD": "sesame-0123456789abcdef"},
        capture_output=True,
        text=True,
        check=False,
    )
    told = [line for line in done.stdout.splitlines() if line.startswith("MODULES ")]
    assert told, done.stdout + done.stderr
    code, modules = json.loads(told[0].removeprefix("MODULES "))
    return code, set(modules)


@pytest.mark.parametrize("option", LOOKING)
def test_a_command_that_looks_imports_nothing_that_takes_long(tmp_path: Path, option: str) -> None:
    code, modules = imported(tmp_path, option)
    assert code == pytest.ExitCode.USAGE_ERROR
    assert not HEAVY & modules


@pytest.mark.parametrize("option", ACTING)
def test_a_command_that_acts_imports_nothing_of_scenarios(tmp_path: Path, option: str) -> None:
    code, modules = imported(tmp_path, option)
    assert code == pytest.ExitCode.USAGE_ERROR
    assert not sorted((HEAVY - NEEDED) & modules)


def test_every_command_is_tried() -> None:
    tried = {option.removeprefix("--").partition("=")[0] for option in (*LOOKING, *ACTING)}
    assert tried == {name.replace("_", "-") for name in COMMANDS}
