"""What the pages say of the tree is true of it: what they point at is there, and what they list is all there is."""

from __future__ import annotations

import re
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.diagnosis.findings import Cause, Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator
    from enum import StrEnum

ROOT = Path(__file__).parents[2]
FOLDERS = (
    "apiserver",
    "bench",
    "cluster",
    "docs",
    "features",
    "manifests",
    "src",
    "steps",
    "support",
    "tests",
)
WRITTEN = {".cfg", ".feature", ".go", ".ini", ".j2", ".lua", ".md", ".py", ".toml", ".yaml"}
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "manifests").rglob("*.md")])
# A page that is named, as a path, with the heading in it if one is; those of the web are not ours.
NAMED = re.compile(r"(?<![\w/.:-])(?P<page>[\w./-]*\w\.md)(?:#(?P<heading>[\w-]+))?")
LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
# A path in backticks or in a command, from the top of the tree.
PATH = re.compile(rf"(?<![\w./$-])(?P<path>(?:{'|'.join(FOLDERS)})/[\w.{{}}<>*/-]*[\w/>}}])")
PLACEHOLDER = re.compile(r"[A-Z<{*]")
CODE = re.compile(r"```console\n(?P<block>.*?)```|(?<!`)`(?P<inline>[^`\n]+)`(?!`)", re.DOTALL)
EXAMPLES = {"manifests/faults/collections/collections-counted-in-another-database.yaml"}
# Of sha256sum, of Chroma's server, of kubectl, of pip, of pytest-rerunfailures and of `python -m cluster`.
OTHERS_OPTIONS = {
    "--check",
    "--duration",
    "--for",
    "--from-file",
    "--from-literal",
    "--gateway-api",
    "--image",
    "--path",
    "--previous",
    "--relase",
    "--require-hashes",
    "--reruns",
    "--timeout",
}
# What CONTRIBUTING.md rules out; it names the words itself, and others quote sentences.
AWKWARD = ("whoever", "somebody", "nobody", "anew", "heed", "by and by", "in the stead of", "(?:is|are) told")
QUOTING = {"CONTRIBUTING.md", "CHANGELOG.md", "docs/component.md"}
# What a newcomer reads in one go, and what fits beside a terminal.
MOST_LINES, WIDEST = 150, 160

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


def files() -> Iterator[Path]:
    there = chain(ROOT.glob("*"), *((ROOT / folder).rglob("*") for folder in FOLDERS))
    yield from (
        file for file in there if file.is_file() and (file.suffix in WRITTEN or file.name == "Makefile")
    )


@cache
def anchors(page: Path) -> set[str]:
    """Return the names under which GitHub and others find the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def missing(page: str, heading: str | None, *places: Path) -> str | None:
    """Return what is wrong with a reference to a page that lies in one of some places."""
    there = [place / page for place in places if (place / page).is_file()]
    if not there:
        return f"{page}: no such page"
    return f"{page}: no heading #{heading}" if heading and heading not in anchors(there[0]) else None


def test_every_page_that_is_named_is_there() -> None:
    wrong = [
        f"{file.relative_to(ROOT)}: {found}"
        for file in files()
        for match in NAMED.finditer(file.read_text(encoding="utf-8"))
        if (found := missing(match["page"], match["heading"], ROOT, file.parent))
    ]
    assert not wrong


@each_page
def test_every_link_leads_somewhere(page: Path) -> None:
    targets = [match["target"] for match in LINK.finditer(page.read_text(encoding="utf-8"))]
    ours = [target.partition("#")[0] for target in targets if "://" not in target]
    assert not [target for target in ours if not (page.parent / target).exists()]


@each_page
def test_pages_are_written_in_plain_english(page: Path) -> None:
    found = re.findall(rf"(?i)\b(?:{'|'.join(AWKWARD)})\b", page.read_text(encoding="utf-8"))
    assert not found or page.relative_to(ROOT).as_posix() in QUOTING


def test_readme_is_what_a_newcomer_reads() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= MOST_LINES
    assert not [line for line in lines if len(line) > WIDEST]


def test_readme_quotes_a_feature_as_it_is() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    quoted = readme.partition("```gherkin\n")[2].partition("```")[0].splitlines()
    files = (ROOT / "features").glob("*.feature")
    said = {line.strip() for file in files for line in file.read_text(encoding="utf-8").splitlines()}
    assert quoted
    assert not [line for line in quoted if line and line.strip() not in said]


def test_readme_leads_to_every_page() -> None:
    linked = set(LINK.findall((ROOT / "README.md").read_text(encoding="utf-8")))
    assert not [page.name for page in (ROOT / "docs").glob("*") if f"docs/{page.name}" not in linked]


@each_page
def test_every_path_that_is_named_is_there_or_is_the_examples(page: Path) -> None:
    named = {match["path"].rstrip("/") for match in PATH.finditer(page.read_text(encoding="utf-8"))}
    missing = {path for path in named - EXAMPLES if not (ROOT / path).exists()}
    assert not {path for path in missing if not PLACEHOLDER.search(path)}


@each_page
def test_every_command_that_is_named_is_there(page: Path, pytestconfig: pytest.Config) -> None:
    text = page.read_text(encoding="utf-8")
    code = "\n".join(match["block"] or match["inline"] for match in CODE.finditer(text))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[0].split())
    assert not set(re.findall(r"(?<![\w-])make ([a-z-]+)", code)) - targets
    commands = re.findall(r"(?<![\w/-])(?:pytest .*|--[a-z][a-z-]+)", code)
    asked = {option for command in commands for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", command)}
    assert not asked - options(pytestconfig) - OTHERS_OPTIONS


def options(config: pytest.Config) -> set[str]:
    """Return the options of pytest, as it and its plugins declare them."""
    parser = config._parser
    groups = [parser._anonymous, *parser._groups]
    return {name for group in groups for option in group.options for name in option.names()}


def test_architecture_shows_every_package_and_nothing_else() -> None:
    """Its tree is indented by two; a name ends in a slash where it is a folder."""
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    tree = page.partition("## The tree")[2].partition("```\n")[2].partition("```")[0]
    shown, above = set(), Path()
    for line in tree.splitlines():
        depth, name = (len(line) - len(line.lstrip())) // 2, line.split()[0]
        above = Path(*above.parts[:depth], name)
        shown.add(above.as_posix())
        assert (ROOT / above).is_dir() == name.endswith("/"), line
        assert (ROOT / above).exists(), line
    packages = {
        file.parent.relative_to(ROOT).as_posix()
        for folder in FOLDERS
        for file in (ROOT / folder).rglob("__init__.py")
        if folder != "tests"
    }
    assert not (packages | set(FOLDERS)) - shown


@pytest.mark.parametrize(("heading", "words"), [("cause", Cause), ("trouble", Trouble)])
def test_each_cause_and_each_trouble_is_told_with_what_to_do(heading: str, words: type[StrEnum]) -> None:
    page = (ROOT / "docs/failures.md").read_text(encoding="utf-8")
    rows = page.partition(f"| {heading} | what to do |\n|---|---|\n")[2].partition("\n\n")[0].splitlines()
    assert {row.split(" | ")[0].removeprefix("| ") for row in rows} == {str(word) for word in words}
