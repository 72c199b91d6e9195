"""Where a release is deployed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """Where a release lives; with a run's id it is a throw-away place of that run alone.

    `announced`: the platform, and users of its code-server, know what lives here; elsewhere what
    announces a release is rendered, but not applied.
    """

    namespace: str
    host: str
    run_id: str | None = None
    announced: bool = False
