"""What a release tells its makers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bdd import then, when

from support.checks import telemetry
from support.deploy.ways_in import environment_of, log_of

if TYPE_CHECKING:
    from support.deploy.live import Live


@when("the environment of Chroma's container is read", target_fixture="variables")
def read_environment(live: Live) -> dict[str, str]:
    return environment_of(live)


@when("Chroma's log is read", target_fixture="log")
def read_log(live: Live) -> str:
    return log_of(live)


@then("the log does not mention telemetry")
def log_says_nothing(log: str) -> None:
    telemetry.assert_unmentioned(log)


@then("telemetry is switched off in it")
def telemetry_is_off(live: Live, variables: dict[str, str]) -> None:
    telemetry.assert_off(live, variables)
