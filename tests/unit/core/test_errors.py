"""Every error that the suite raises has one root, by which the commands catch it."""

from __future__ import annotations

import inspect
import pkgutil
from importlib import import_module

import pytest

import support
from support.core.errors import SuiteError

MODULES = [found.name for found in pkgutil.walk_packages(support.__path__, "support.")]


@pytest.mark.parametrize("name", MODULES)
def test_an_error_of_the_suite_is_a_suite_error(name: str) -> None:
    own = [
        each
        for _, each in inspect.getmembers(import_module(name), inspect.isclass)
        if issubclass(each, Exception) and not issubclass(each, Warning) and each.__module__ == name
    ]
    assert [each.__name__ for each in own if not issubclass(each, SuiteError)] == []
