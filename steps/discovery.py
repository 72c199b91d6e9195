"""Releases as the platform is told of them: its catalogue, and the shells of its code-server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_bdd import given, then, when

from steps.vocabulary import OneOf, parser
from support.checks.discovery import catalogue as discovery
from support.checks.discovery import code_server as code_server_checks
from support.laws import strategies
from support.release.catalogue import variant
from support.release.release import DISCOVERIES, Release

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypothesis.strategies import SearchStrategy

    from support.checks.discovery.code_server import CodeServerStandIn
    from support.deploy.live import Live
    from support.deploy.namespace import Namespace
    from support.deploy.results import Rollout
    from support.kube.objects import Objects
    from support.network.http import Response
    from support.release.release import Discovery

parse = parser(Form=OneOf.itself(DISCOVERIES))


@given("the release, live and registered in a namespace of its own", target_fixture="live")
def release_announced_on_its_own(announced_namespace: Namespace, release_under_test: Release) -> Live:
    return announced_namespace.ensure_live(release_under_test)


@given("a running code-server")
def running_code_server(code_server: CodeServerStandIn) -> None:
    code_server.open()


@given("a running code-server that knows another component")
def code_server_with_neighbour(code_server: CodeServerStandIn) -> None:
    code_server.open().announce_neighbour()


@given("no running code-server")
def no_code_server(code_server: CodeServerStandIn) -> None:
    code_server.shut()


@when("the platform looks for services", target_fixture="found")
def look_for_services(here: Namespace) -> Objects:
    return discovery.look(here)


@when("the platform checks the health of the release", target_fixture="response")
def ask_for_health(here: Namespace) -> Response:
    return discovery.ask_for_health(here)


@when(parse("it is registered with the {form:Form} entry"), target_fixture="rollout")
def announce_in_form(here: Namespace, release_under_test: Release, form: Discovery) -> Rollout:
    return here.apply(release_under_test.model_copy(update={"discovery": form}))


@when(
    parse('the release "{name:S}" is applied with the {form:Form} entry'),
    target_fixture="rollout",
)
def apply_to_be_announced(
    here: Namespace, release_under_test: Release, name: str, form: Discovery
) -> Rollout:
    release = variant(name, release_under_test)
    return here.apply(release.model_copy(update={"discovery": form}))


@when("a component registers any values", target_fixture="cases")
def announce_any_values() -> SearchStrategy[tuple[str, ...]]:
    return strategies.values_of_variables()


@then("the entry parses as the platform's reader parses it")
def release_is_found(found: Objects, here: Namespace) -> None:
    discovery.find(found, here)


@then("the entry says")
def entry_says(found: Objects, here: Namespace, datatable: Sequence[Sequence[str]]) -> None:
    discovery.assert_says(found, here, datatable)


@then("the entry is labelled")
def entry_is_labelled(found: Objects, here: Namespace, datatable: Sequence[Sequence[str]]) -> None:
    discovery.assert_labelled(found, here, datatable)


@then("it reports the release as healthy")
def release_is_healthy(response: Response) -> None:
    discovery.assert_healthy(response)


@then("the answer is the heartbeat")
def answer_is_heartbeat(response: Response) -> None:
    discovery.assert_heartbeat(response)


@then("no ConfigMap shows the value of a Secret")
def nothing_secret_is_shown(live: Live) -> None:
    discovery.assert_nothing_secret_shown(live)


@then("the entry names the Secret that holds the token")
def entry_names_secret(home: Namespace, live: Live) -> None:
    discovery.assert_names_secret(home, live)


@then("the entry shows the token")
def entry_shows_token(home: Namespace, live: Live) -> None:
    discovery.assert_shows_token(home, live)


@then("the registered entry is unchanged")
def announcement_is_unchanged(rollout: Rollout) -> None:
    discovery.assert_announcement_unchanged(rollout)


@then("the platform no longer finds it")
def release_is_unknown(here: Namespace) -> None:
    discovery.assert_unknown(here)


@then("every new shell has its address and its token")
def shells_know_release(code_server: CodeServerStandIn, live: Live) -> None:
    code_server_checks.assert_known(code_server, live)


@then("every new shell knows the other component")
def shells_know_neighbour(code_server: CodeServerStandIn) -> None:
    code_server_checks.assert_neighbour_known(code_server)


@then("no new shell knows it")
def shells_have_forgotten_release(code_server: CodeServerStandIn) -> None:
    code_server_checks.assert_forgotten(code_server)


@then("every new shell has them unchanged")
def values_arrive(code_server: CodeServerStandIn, cases: SearchStrategy[tuple[str, ...]]) -> None:
    code_server_checks.assert_any_arrive(code_server, cases)


@then("the shells' start-up file sources the variables exactly once and keeps its other lines")
def variables_are_read_once(code_server: CodeServerStandIn) -> None:
    code_server_checks.assert_read_once(code_server)


@then("the apply says that no code-server runs")
def absence_is_said(rollout: Rollout) -> None:
    assert rollout.code_server.startswith("no code-server runs"), rollout.code_server
