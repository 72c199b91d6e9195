"""Applies by an operator with another token than the live release's."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from support.core.promises import PromiseBroken

if TYPE_CHECKING:
    from support.core.redaction import Redactor
    from support.deploy.live import Live
    from support.deploy.namespace import Namespace
    from support.deploy.results import Rollout


def with_another_token(here: Namespace, redactor: Redactor) -> Namespace:
    """Return a namespace for an operator whose token is another than any release's."""
    token = secrets.token_urlsafe(24)
    redactor.learn(token)
    return here.with_token(token)


def assert_brought_back(home: Namespace, live: Live, rollout: Rollout) -> None:
    """Assert that a refused release gave way to the one before it, which lives under the token it had."""
    if not rollout.live:
        raise PromiseBroken(f'release "{live.release.name}" is live again', f"nothing is, after {rollout}")
    assert rollout.live.token == live.token, "the release was brought back with another token"
    with home.health_check(live) as health_check:
        health_check.heartbeat_advances()
        health_check.acknowledges_write(indexed=False)
