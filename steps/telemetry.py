"""What a release tells its makers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bdd import then, when

from support import telemetry
from support.pods import environment_of

if TYPE_CHECKING:
    from support.namespace import Live


@when("the environment of Chroma's container is read", target_fixture="variables")
def read_environment(live: Live) -> dict[str, str]:
    return environment_of(live)


@then("telemetry is switched off in it")
def telemetry_is_off(live: Live, variables: dict[str, str]) -> None:
    telemetry.assert_off(live, variables)
