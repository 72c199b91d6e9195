"""Who ends a command is told what stays half done."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from support import commands


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("apply", [commands.HALF_DONE]),
        ("back_to", [commands.HALF_DONE]),
        ("remove", [commands.HALF_DONE]),
        ("status", []),
        ("plan", []),
    ],
)
def test_who_ends_a_command_is_told_what_stays_half_done(
    monkeypatch: pytest.MonkeyPatch, name: str, said: list[str]
) -> None:
    def interrupted(_: Any) -> int:
        raise KeyboardInterrupt("SIGTERM")

    monkeypatch.setattr(commands, "command", lambda _: interrupted)
    told: list[str] = []
    call: Any = SimpleNamespace(namespace=SimpleNamespace(progress=told.append))
    with pytest.raises(KeyboardInterrupt, match="SIGTERM"):
        commands.carry_out(name, call)
    assert told == said
