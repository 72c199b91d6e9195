"""What is almost an option of the suite, or almost one of its values, is told with the one that is meant."""

from __future__ import annotations

import argparse

import pytest

from support.session.command_line import has_own, near, without_own


@pytest.mark.parametrize(
    ("option", "asked"),
    [
        ("--relase", "did you mean --release?"),
        ("--kube-config", "did you mean --kubeconfig?"),
        ("--stat", "did you mean --status?"),
        ("--accept", "did you mean --accept-downgrade or --accept-insecure?"),
        ("--maxfial", ""),
        ("--foo", ""),
    ],
)
def test_an_option_that_nobody_knows(option: str, asked: str) -> None:
    assert near(option) == asked


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--require", "cor"], "cor: unknown; did you mean core?"),
        (["--roll-back=alwayz"], "alwayz: unknown; did you mean always?"),
        (["--without", "network-policy"], "network-policy: unknown; did you mean networkpolicy?"),
        (["--status", "yaml"], "yaml: unknown; known are json, text, watch"),
    ],
)
def test_a_value_that_an_option_does_not_have(arguments: list[str], told: str) -> None:
    with pytest.raises(argparse.ArgumentError) as wrong:
        without_own(arguments)
    assert wrong.value.message == told


def test_what_is_left_of_a_command_line_is_pytests() -> None:
    arguments = [
        "-k",
        "a",
        "--kubeconfig",
        "file",
        "--status",
        "json",
        "features",
        "--set=a=b",
        "--plan",
        "tests",
    ]
    assert without_own(arguments) == ["-k", "a", "features", "tests"]


@pytest.mark.parametrize(
    ("arguments", "has"), [(["-x", "--set=a=b"], True), (["--status"], True), (["-x", "status"], False)]
)
def test_options_of_the_suite_are_known_among_others(arguments: list[str], has: bool) -> None:
    assert has_own(arguments) is has
