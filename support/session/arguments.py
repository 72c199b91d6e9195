"""Completes a command line that names no features, and corrects one with options that nobody knows; a plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from support.session.command_line import has_own, near

if TYPE_CHECKING:
    from collections.abc import Generator

_ADDED: Final = pytest.StashKey[str]()


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Generator[None, object, object]:
    """Lead a run without a path to the features, and once every option is declared, say which ones are meant by others."""
    root, here = early_config.rootpath, early_config.invocation_params.dir
    known = early_config.known_args_namespace
    # Values of options that conftest.py is about to declare, such as -n, are among the words.
    named = any((here / word.partition("::")[0]).exists() for word in known.file_or_dir)
    if not named and here != root and (has_own(args) or not here.is_relative_to(root)):
        early_config.stash[_ADDED] = str(root / "features")
        args.append(early_config.stash[_ADDED])
        known.file_or_dir.append(early_config.stash[_ADDED])
    result = yield
    if not known.help:
        _, unknown = parser.parse_known_and_unknown_args(args)
        names = (option.partition("=")[0] for option in unknown)
        if wrong := [f"{name}: {asked}" for name in names if name.startswith("--") and (asked := near(name))]:
            raise pytest.UsageError("\n  ".join(wrong))
    return result


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say which features run where the command line names none."""
    added = config.stash.get(_ADDED, None)
    return f"features: {added}, since no path is given" if added else None
