"""Lets every pytest of this environment know the suite, from whichever directory it is called.

This is all of the suite that a pytest loads whose run is another project's: it must import nothing of the rest there.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence

CHECKOUT: Final = Path(__file__).resolve().parents[2]
_INI: Final = CHECKOUT / "pytest.ini"
# In the order in which they are needed: the options, and what completes and corrects a command line of them.
_PLUGINS: Final = ("support.session.command_line", "support.session.arguments")
# What makes a directory a project of pytest's, or one below it: the first ones do by being there.
_ITS_OWN: Final = ("pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml", "conftest.py")
_SHARED: Final = ("pyproject.toml", "tox.ini", "setup.cfg")


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the suite's options where a run is the suite's; hand it over where pytest has not noticed that.

    pytest looks for its configuration before it knows any option of a plugin. So it takes the value of `--kubeconfig FILE`
    for a path of tests, and in another directory it finds none at all.
    """
    config: Any = pluginmanager.get_plugin("pytestconfig")
    if config.inipath and config.inipath.resolve() == _INI:
        if (
            home := str(config.inipath.parent)
        ) not in sys.path:  # where its conftest.py would put it in a moment
            sys.path.insert(0, home)
        for name in _PLUGINS:
            pluginmanager.import_plugin(name)
    elif _means_the_suite(config, parser):
        pluginmanager.register(HandOver(config.invocation_params.args, parser.prog))
        for one in entry_points(group="pytest11"):
            if not pluginmanager.has_plugin(one.name):  # it would be loaded for nothing
                pluginmanager.set_blocked(one.name)


class HandOver:
    """Lets a run of pytest do no more than run pytest once more, on the suite: a plugin."""

    def __init__(self, arguments: Sequence[str], prog: str) -> None:
        self._arguments = ["--config-file", str(_INI), "--rootdir", str(CHECKOUT), *map(str, arguments)]
        self._prog = prog

    @pytest.hookimpl(wrapper=True, tryfirst=True)  # before output is captured
    def pytest_load_initial_conftests(
        self, early_config: pytest.Config, args: list[str]
    ) -> Generator[None, object, object]:
        """Leave nothing to be parsed, loaded or captured."""
        args[:] = [str(CHECKOUT)]
        early_config.known_args_namespace.noconftest = True
        early_config.known_args_namespace.capture = "no"
        return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_cmdline_main(self) -> int:
        """Run pytest on the suite, and return how that ended."""
        return int(pytest.main(self._arguments, plugins=[Guest(self._prog)]))


class Guest:
    """Shows a run on the suite as what the user has called: a plugin."""

    def __init__(self, prog: str) -> None:
        self._prog = prog

    def pytest_addoption(self, parser: pytest.Parser) -> None:
        """Name the program in messages as it was called."""
        parser.prog = self._prog


def _means_the_suite(config: pytest.Config, parser: pytest.Parser) -> bool:
    """Whether a run that pytest takes for no run of the suite is one nevertheless.

    It is, if it has options of the suite that nobody else knows, and leads to no other project: neither by its paths, nor,
    where it has none, by its directory.
    """
    arguments, here = [*map(str, config.invocation_params.args)], config.invocation_params.dir
    try:
        known, options = parser.parse_known_and_unknown_args(arguments)
    except pytest.UsageError:  # pytest says so, too
        return False
    abroad = _is_of_another_project(here) and not any(map(_is_of_the_suite, _paths(known.file_or_dir, here)))
    if abroad or known.inifilename or known.rootdir:  # what is stated is no matter of guessing
        return False
    if not options:
        return bool(known.help) and not known.file_or_dir
    with _on_loan(_PLUGINS[0]) as command_line:
        try:
            rest = command_line.without_own(arguments)
        except argparse.ArgumentError:  # one of them lacks its value, or has a wrong one
            return True
        known, options = parser.parse_known_and_unknown_args(rest)
        if rest == arguments and not any(map(command_line.near, options)):
            return False
    paths = _paths(known.file_or_dir, here)
    return all(map(_is_of_the_suite, paths)) if paths else not _is_of_another_project(here)


@contextmanager
def _on_loan(name: str) -> Iterator[Any]:
    """Lend a module of the suite, and leave nothing of the suite imported: the run may turn out to be another project's."""
    before = set(sys.modules)
    sys.path.insert(0, str(CHECKOUT))
    try:
        yield importlib.import_module(name)
    finally:
        sys.path.remove(str(CHECKOUT))
        for one in set(sys.modules) - before:
            if _is_of_the_suite(Path(getattr(sys.modules[one], "__file__", None) or "/")):
                del sys.modules[one]


def _paths(words: Iterable[str], here: Path) -> list[Path]:
    """Return those of some words that are paths of something that is there, as pytest looks at them."""
    paths = (here / word.partition("::")[0] for word in words)
    return [path.resolve() for path in paths if path.exists()]


def _is_of_the_suite(path: Path) -> bool:
    return path.is_relative_to(CHECKOUT) and not path.is_relative_to(sys.prefix)


def _is_of_another_project(here: Path) -> bool:
    """Whether pytest, called in a directory, would find a configuration or a conftest.py that is not the suite's."""
    if here.resolve().is_relative_to(CHECKOUT):
        return False
    return any(here.glob("test*/conftest.py")) or any(
        any((place / name).exists() for name in _ITS_OWN)
        or any(_speaks_of_pytest(place / name) for name in _SHARED)
        for place in (here, *here.parents)
    )


def _speaks_of_pytest(file: Path) -> bool:
    try:
        return "pytest" in file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
