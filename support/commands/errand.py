"""One call of a command that touches no release."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from support.reporting.scenario import Scenario


@dataclass(frozen=True)
class Errand:
    """What a command was given that touches no release.

    `option` returns the value of any option by its name; `arguments` is the command line, `root` the checkout,
    `scenarios` returns all that there are. `say` takes a line of the result, for standard output.
    """

    option: Callable[[str], Any]
    arguments: Sequence[str]
    root: Path
    run_id: str
    kubeconfig: Path | None
    report_dir: Path
    scenarios: Callable[[], Sequence[Scenario]]
    say: Callable[[str], None]
