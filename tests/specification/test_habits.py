"""What keeps the code as it is: hooks run what `make check` runs, exceptions give their reason, and what has one place stays there."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from support.core import component

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
CODE = ("apiserver", "bench", "cluster", "manifests", "src", "steps", "support", "tests")
EXCEPTION = re.compile(r"# (?:noqa|type: ignore)\b(?P<rest>.*)")
# The codes, then a dash or another comment, and why; where there is one of each kind, one reason does for both.
REASONED = re.compile(r": [A-Z0-9, ]+ - \S|\[[a-z,-]+\]  # (?!noqa)\S|\[[a-z,-]+\]  # noqa: [A-Z0-9, ]+ - \S")
# More of them is a module with two reasons to change (ARCHITECTURE.md).
MOST_LINES = 350
# Most of it is a table of signs and causes.
TABLES = {"tests/unit/diagnosis/test_causes.py"}
CHECKS = re.compile(r'^stage "(?P<name>[a-z ]+)" \$\(BIN\)/(?P<command>.+)$', re.MULTILINE)


def sources() -> list[Path]:
    return [ROOT / "conftest.py", *(file for folder in CODE for file in (ROOT / folder).rglob("*.py"))]


def configuration() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_every_exception_gives_its_reason() -> None:
    unreasoned = [
        f"{file.relative_to(ROOT)}:{number}"
        for file in sources()
        if file != Path(__file__)
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if (found := EXCEPTION.search(line)) and not REASONED.match(found["rest"])
    ]
    assert not unreasoned


def test_every_rule_that_is_switched_off_gives_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    ignored = text.partition("\nignore = [\n")[2].partition("\n]")[0].splitlines()
    assert ignored
    assert not [line for line in ignored if not re.match(r'    "[A-Z]+[0-9]*", +# \S', line)]


def test_hooks_run_what_make_check_runs() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    checks = makefile.partition("define checks\n")[2].partition("endef")[0]
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert [repository["repo"] for repository in hooks] == ["local"], "others are downloaded"
    run = {hook["name"]: hook["entry"] for hook in hooks[0]["hooks"]}
    assert run == {match["name"]: f".venv/bin/{match['command']}" for match in CHECKS.finditer(checks)}


@pytest.mark.parametrize(
    "line",
    [
        "from time import sleep",
        "import time\ntime.sleep(1)",
        *(f"import {name}" for name in ("chromadb", "h11", "httpx", "wsproto")),
    ],
)
@pytest.mark.parametrize(
    "place", ["support/checks/access/requests.py", "steps/access.py", "cluster/embedded.py"]
)
def test_what_has_one_place_is_refused_elsewhere(line: str, place: str) -> None:
    command = [sys.executable, "-m", "ruff", "check", "--quiet", "--stdin-filename", place, "-"]
    done = subprocess.run(command, cwd=ROOT, input=line, capture_output=True, text=True, check=False)
    assert "TID251" in done.stdout, done


def test_places_that_are_excepted_need_it() -> None:
    excepted = configuration()["tool"]["ruff"]["lint"]["per-file-ignores"]
    names = {name for pattern, rules in excepted.items() if "TID251" in rules for name in expanded(pattern)}
    command = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--quiet",
        "--output-format",
        "concise",
        "--select",
        "TID251",
    ]
    command += ["--config", "lint.per-file-ignores={}", *CODE]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert {line.partition(":")[0] for line in done.stdout.splitlines()} == names


def expanded(pattern: str) -> list[str]:
    """Return the paths of a pattern with at most one pair of braces."""
    before, brace, rest = pattern.partition("{")
    inner, _, after = rest.partition("}")
    return [f"{before}{name}{after}" for name in inner.split(",")] if brace else [pattern]


def test_every_module_is_small_enough_to_be_read_at_once() -> None:
    code = [file for file in sources() if str(file.relative_to(ROOT)) not in TABLES]
    lines = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in code}
    assert not {str(file.relative_to(ROOT)): count for file, count in lines.items() if count > MOST_LINES}


def test_every_timeout_is_a_deadline_that_patience_stretches() -> None:
    found = [
        f"{file.relative_to(ROOT)}:{call.lineno}"
        for file in (ROOT / "support").rglob("*.py")
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and any(map(_is_number, _timeouts(call)))
    ]
    assert not found, "name it in Deadlines (support/core/wait.py): " + ", ".join(found)


def test_each_name_of_the_component_stands_in_one_place() -> None:
    names = {value for name, value in vars(component).items() if name.isupper() and name != "COLLECTIONS"}
    elsewhere = [
        f"{file.relative_to(ROOT)}:{found.lineno}: {found.value!r}"
        for folder in ("support", "steps")
        for file in (ROOT / folder).rglob("*.py")
        # The others are the documentation's own text.
        if file.name not in {"component.py", "documented.py", "exposed.py"}
        for found in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(found, ast.Constant) and found.value in names
    ]
    assert not elsewhere, "import it from support/core/component.py: " + ", ".join(elsewhere)


def _timeouts(call: ast.Call) -> Iterator[ast.expr]:
    """Yield what a call is given to wait: by a keyword, or as what waits is used to take it."""
    yield from (one.value for one in call.keywords if one.arg and "timeout" in one.arg)
    if isinstance(call.func, ast.Attribute) and call.func.attr in {"settimeout", "wait", "join"}:
        yield from call.args


def _is_number(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and type(value.value) in {int, float}
