"""What callers show and ask on the ways in, and what they are given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from pytest_bdd import given, then, when

from steps.vocabulary import OneOf, parser
from support.checks.access import answers, doors, occupation, requests
from support.checks.access.requests import Caller
from support.network.way import WAY_NAMES
from support.release.catalogue import variant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from support.checks.access.crowd import Crowd
    from support.checks.access.requests import Request, Responses
    from support.chroma.client import Collection
    from support.chroma.database import Database
    from support.chroma.reachable import Reachable
    from support.core.wait import Deadlines
    from support.deploy.live import Live
    from support.deploy.namespace import Namespace
    from support.network.http import Response
    from support.network.vantage import Vantage
    from support.network.way import Routes, WayName
    from support.release.release import Release

    Ways = tuple[WayName, ...]

_WAYS: Final[Mapping[str, Ways]] = {
    "by every route": WAY_NAMES,
    "through the ingress": ("ingress",),
    "through the Service": ("service",),
    "at the pod's address": ("pod",),
    "through the Service and at the pod's address": ("service", "pod"),
}


parse = parser(
    Ways=OneOf(_WAYS),
    Credentials=OneOf.itself(requests.CREDENTIALS),
    Lookalike=OneOf(requests.LOOKALIKES),
    Write=OneOf(requests.WRITES),
    Switch=OneOf(requests.SWITCHES),
    Page=OneOf(requests.ORIGINS),
    Occupation=OneOf(occupation.OCCUPATIONS),
    Port=OneOf(occupation.PORTS),
    Kept=OneOf(occupation.KEPT),
)


@pytest.fixture
def caller(live: Reachable, routes: Routes, deadlines: Deadlines) -> Caller:
    return Caller(live, routes, deadlines)


@given(parse('the release "{name:S}", live in a namespace of its own'), target_fixture="live")
def named_release_live_on_its_own(own_namespace: Namespace, name: str, release_under_test: Release) -> Live:
    return own_namespace.ensure_live(variant(name, release_under_test))


@given(parse("other pods without a token that {how:Occupation}"), target_fixture="occupied")
def neighbours_without_token(
    live: Live, fresh_namespace: Namespace, deadlines: Deadlines, run_id: str, how: occupation.Occupation
) -> occupation.Occupied:
    return occupation.occupy(live, fresh_namespace, deadlines, how, run_id=run_id)


@given(
    parse("{count:d} connections through the ingress from callers without a token"), target_fixture="occupied"
)
def crowd_at_ingress(live: Live, here: Namespace, crowd: Crowd, count: int) -> occupation.Occupied:
    return crowd.gather(live, here, count)


@when(
    parse("a pod without a token opens as many connections to the port {port:Port} as it gets"),
    target_fixture="occupied",
)
def open_connections(
    live: Live, fresh_namespace: Namespace, deadlines: Deadlines, run_id: str, port: occupation.Occupation
) -> occupation.Occupied:
    return occupation.occupy(live, fresh_namespace, deadlines, port, run_id=run_id, neighbours=1)


@when(parse("a pod without a token connects and {how:Kept}"), target_fixture="ended")
def keep_connection(live: Live, vantage: Vantage, how: occupation.Occupation, deadlines: Deadlines) -> bool:
    return occupation.keep(live, vantage, how, deadlines.doubt)


@when(
    parse("a caller asks again and again for the collections {ways:Ways} {credentials:Credentials}"),
    target_fixture="responses",
)
def ask_again_and_again(caller: Caller, ways: Ways, credentials: str) -> Responses:
    return caller.ask_again_and_again(ways, credentials, requests.LIST)


@when(
    parse("a caller asks for {switch:Switch} {ways:Ways} {credentials:Credentials}"),
    target_fixture="responses",
)
def ask_to_switch(caller: Caller, switch: Request, ways: Ways, credentials: str) -> Responses:
    return caller.ask(ways, credentials, switch)


@when(
    parse("a caller asks for a tunnel {ways:Ways} {credentials:Credentials}"),
    target_fixture="responses",
)
def ask_for_tunnel(caller: Caller, ways: Ways, credentials: str) -> Responses:
    return caller.ask_for_tunnel(ways, credentials)


@when(
    parse("a caller sends a body of {mebibytes:d} MiB in chunks {ways:Ways} {credentials:Credentials}"),
    target_fixture="responses",
)
def send_in_chunks(caller: Caller, mebibytes: int, ways: Ways, credentials: str) -> Responses:
    return caller.ask(ways, credentials, requests.large(mebibytes))


@when(
    parse("a caller sends a header of {kibibytes:d} KiB {ways:Ways} {credentials:Credentials}"),
    target_fixture="responses",
)
def send_long_header(caller: Caller, kibibytes: int, ways: Ways, credentials: str) -> Responses:
    return caller.ask(ways, credentials, requests.with_long_header(kibibytes))


@when(
    parse("a browser sends a preflight {ways:Ways} for {origin:Page}"),
    target_fixture="responses",
)
def ask_beforehand(caller: Caller, ways: Ways, origin: str) -> Responses:
    return caller.ask(ways, "without a token", requests.preflight(origin))


@when(
    parse("a browser asks for the collections {ways:Ways} for {origin:Page} {credentials:Credentials}"),
    target_fixture="responses",
)
def ask_for_page(caller: Caller, ways: Ways, origin: str, credentials: str) -> Responses:
    return caller.ask(ways, credentials, requests.from_page(origin))


@when(
    parse("a caller asks for the collections {ways:Ways} {credentials:Credentials}"),
    target_fixture="responses",
)
def ask_for_collections(caller: Caller, ways: Ways, credentials: str) -> Responses:
    return caller.ask(ways, credentials, requests.LIST)


@when(
    "a caller asks for the collections at every port of the pod without a token", target_fixture="responses"
)
def ask_at_every_port(caller: Caller) -> Responses:
    return caller.ask_at_every_port("without a token", requests.LIST)


@when(
    parse("a caller asks {ways:Ways} with the right token, and again without it on the same connection"),
    target_fixture="responses",
)
def ask_again_without_token(caller: Caller, ways: Ways) -> Responses:
    return caller.ask_again_without_token(ways)


@when(
    parse("a caller tries to {write:Write} {ways:Ways} {credentials:Credentials}"),
    target_fixture="responses",
)
def try_to_change(
    caller: Caller,
    collection: Collection,
    write: Callable[[Collection], Request],
    ways: Ways,
    credentials: str,
) -> Responses:
    return caller.ask(ways, credentials, write(collection))


@when(
    parse("a caller requests every endpoint {ways:Ways} {credentials:Credentials}"),
    target_fixture="responses",
)
def ask_for_everything(caller: Caller, ways: Ways, credentials: str) -> Responses:
    return caller.ask_for_everything(ways, credentials)


@when(
    parse("a caller asks for the heartbeat with {lookalike:Lookalike} {ways:Ways} {credentials:Credentials}"),
    target_fixture="responses",
)
def ask_for_lookalike(caller: Caller, lookalike: Request, ways: Ways, credentials: str) -> Responses:
    return caller.ask(ways, credentials, lookalike)


@when(
    parse("a caller sends requests whose errors could echo the token {ways:Ways}"), target_fixture="responses"
)
def tempt_to_repeat_token(caller: Caller, ways: Ways) -> Responses:
    return caller.tempt(ways)


@when("another pod connects to the ports of the gateway and of Chroma", target_fixture="open_ports")
def probe_open_ports(live: Live, vantage: Vantage) -> doors.OpenPorts:
    return doors.probe_ports(live, vantage)


@when("a caller asks for the heartbeat over plain http", target_fixture="response")
def ask_in_clear(caller: Caller) -> Response:
    return caller.ask_in_clear(requests.BEAT)


@when("a caller inspects the certificate of the ingress", target_fixture="server_certificate")
def inspect_certificate(live: Live) -> doors.ServerCertificate:
    return doors.server_certificate(live)


@then(parse("the caller is refused {ways:Ways}"))
def caller_is_refused(responses: Responses, ways: Ways, live: Reachable, routes: Routes) -> None:
    answers.assert_refused(responses, routes.of(ways), live.refusal)


@then("the refusal names the header of the token")
def rejection_names_header(responses: Responses, live: Reachable) -> None:
    answers.assert_header_named(responses, live.credential.header)


@then(parse("the body is refused as too large {ways:Ways}"))
def rejection_says_too_large(responses: Responses, ways: Ways, routes: Routes) -> None:
    answers.assert_too_large(responses, routes.of(ways))


@then(parse("the browser may send the request {ways:Ways}"))
def page_may_ask(responses: Responses, ways: Ways, routes: Routes) -> None:
    answers.assert_page_may_ask(responses, routes.of(ways), requests.ORIGIN)


@then(parse("the browser withholds the answer from the page {ways:Ways}"))
def page_may_not_read(responses: Responses, ways: Ways, routes: Routes) -> None:
    answers.assert_page_may_not_read(responses, routes.of(ways))


@then("the probes are answered, and no container has restarted")
def release_is_unharmed(occupied: occupation.Occupied, vantage: Vantage) -> None:
    occupation.assert_unharmed(occupied, vantage)


@then("the release ends the connection")
def connection_is_ended(ended: bool, deadlines: Deadlines) -> None:
    occupation.assert_ended(ended, deadlines)


@then(parse("it holds no more than a share of the connections {port:Port}"))
def neighbour_holds_share(occupied: occupation.Occupied, port: occupation.Occupation) -> None:
    occupation.assert_shared(occupied, port)


@then(parse("the caller gets the collections {ways:Ways}"))
def caller_is_given_collections(responses: Responses, ways: Ways, routes: Routes) -> None:
    answers.assert_listed(responses, routes.of(ways))


@then(parse("the caller gets the heartbeat alone {ways:Ways}"))
def caller_is_given_heartbeat_alone(responses: Responses, ways: Ways, routes: Routes) -> None:
    answers.assert_heartbeat_alone(responses, routes.of(ways))


@then(parse("only the endpoints that its version leaves open answer {ways:Ways}"))
def caller_is_given_what_is_open(responses: Responses, ways: Ways, live: Reachable, routes: Routes) -> None:
    answers.assert_open_alone(responses, routes.of(ways), live.open_paths)


@then(parse("the caller gets no more than the heartbeat {ways:Ways}"))
def caller_is_given_no_more_than_heartbeat(responses: Responses, ways: Ways, routes: Routes) -> None:
    answers.assert_no_more_than_heartbeat(responses, routes.of(ways))


@then("there is no other collection")
def collection_is_alone(database: Database, collection: Collection) -> None:
    requests.assert_alone(database, collection)


@then("the gateway accepts the connection, and Chroma itself does not")
def gateway_alone_is_open(open_ports: doors.OpenPorts) -> None:
    doors.assert_gateway_alone_is_open(open_ports)


@then("the caller is redirected to the same address over https")
def caller_is_sent_to_https(response: Response, live: Live) -> None:
    answers.assert_sent_to_https(response, live.host, requests.BEAT.path)


@then("it names the host, and a trusted authority has signed it")
def certificate_is_hosts(server_certificate: doors.ServerCertificate) -> None:
    doors.assert_identity_is_proven(server_certificate)


@then("no answer holds the token")
def no_answer_holds_token(responses: Responses, live: Reachable) -> None:
    answers.assert_token_unspoken(responses, live.credential.token)
