"""What a target's file describes is there, or is told: each thing that is missing in a line, before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from support.kube.errors import ApiError
from support.platform import rights
from support.platform.pull_secret import KIND
from support.target.description import TargetError, read
from support.target.examination import contradiction, examine
from support.target.rights import needed
from tests.unit.target.cluster import Cluster
from tests.unit.target.test_deployed import deployed

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.chroma.reachable import Credential

FILE = Path("target.yaml")
DOCS = Path(__file__).parents[3] / "docs/targets"
TOKEN = {"secret": "notes-token", "key": "token", "header": "Authorization"}


def look(
    cluster: Cluster, environ: dict[str, str] | None = None, vantage: str | None = None, **stated: Any
) -> Credential:
    return examine(deployed(cluster, **stated), FILE, environ or {}, vantage)


def test_the_token_of_a_secret_lets_us_in_without_the_end_of_its_line() -> None:
    assert look(Cluster(), token=TOKEN).headers == [("Authorization", "Bearer sesame")]


def test_the_token_of_the_environment_lets_us_in() -> None:
    assert look(Cluster(), {"NOTES": "open"}, token={"environment": "NOTES"}).headers == [
        ("X-Chroma-Token", "open")
    ]


def test_where_no_token_is_stated_none_is_shown() -> None:
    assert look(Cluster()).headers == []


def _gone(kind: str, name: str) -> Callable[[Cluster], None]:
    return lambda cluster: cluster.without(kind, name)


def _nothing(_: Cluster) -> None:
    pass


@pytest.mark.parametrize(
    ("spoil", "stated", "told"),
    [
        (_gone("Namespace", "notes"), {}, "namespace: there is no namespace notes"),
        (
            _nothing,
            {"workload": {"kind": "StatefulSet", "name": "note"}},
            "workload: there is no StatefulSet notes/note; did you mean Deployment notes?",
        ),
        (
            _nothing,
            {"workload": {"kind": "Deployment", "name": "notes", "container": "sever"}},
            "workload.container: Deployment notes/notes has no container sever; did you mean server?",
        ),
        (
            _nothing,
            {"services": [{"name": "nots", "port": 80}]},
            "services.0: there is no Service notes/nots; did you mean notes",
        ),
        (
            _nothing,
            {"services": [{"name": "notes", "port": 8000}]},
            "services.0.port: Service notes has no port 8000; it has 80 (http)",
        ),
        (
            _nothing,
            {"services": [{"name": "notes", "port": "http"}, {"name": "other", "port": 80}]},
            "services.1: Service other does not lead to Deployment notes/notes: it selects team=other",
        ),
        (_gone("Secret", "notes-token"), {"token": TOKEN}, "token: there is no Secret notes/notes-token"),
        (
            _nothing,
            {"token": {**TOKEN, "key": "tokn"}},
            "token: Secret notes/notes-token has no key tokn; did you mean token?",
        ),
        (
            _nothing,
            {"token": {"environment": "NOTES"}},
            "token: the variable NOTES of the environment is missing",
        ),
    ],
    ids=["namespace", "workload", "container", "service", "port", "selector", "secret", "key", "variable"],
)
def test_what_is_not_there_is_told_in_a_line(
    spoil: Callable[[Cluster], None], stated: dict[str, Any], told: str
) -> None:
    cluster = Cluster()
    spoil(cluster)
    with pytest.raises(TargetError) as caught:
        look(cluster, **stated)
    assert str(caught.value).startswith(f"target.yaml cannot be used: {told}")
    assert "\n" not in str(caught.value)


def test_all_that_is_missing_is_told_at_once() -> None:
    with pytest.raises(TargetError) as caught:
        look(
            Cluster(),
            services=[{"name": "a", "port": 1}, {"name": "b", "port": 2}],
            token={"environment": "C"},
        )
    assert len(caught.value.problems) == 3


def test_what_may_not_be_listed_only_costs_the_suggestion() -> None:
    with pytest.raises(TargetError, match="there is no namespace"):
        look(Cluster(there=[]))
    cluster = Cluster(forbidden=("Namespace",))
    assert look(cluster).headers == []
    with pytest.raises(ApiError, match="you may not list Deployment"):
        look(Cluster(forbidden=("Deployment",)))


PULL: dict[str, Any] = {"image_pull_secret": "registry", "image_pull_namespace": "default"}


@pytest.mark.parametrize(
    ("there", "vantage", "told"),
    [
        (False, None, ""),
        (False, "", "image_pull_secret: Secret default/registry is missing; make one of type"),
        (True, "", ""),
        (False, "there", "image_pull_secret: Secret there/registry is missing; make one of type"),
        (True, "there", ""),
        # It is made, with a copy.
        (False, "absent", "image_pull_secret: Secret default/registry is missing"),
    ],
)
def test_what_the_vantages_image_is_pulled_with_has_to_be_where_it_is_taken_from(
    there: bool, vantage: str | None, told: str
) -> None:
    cluster = Cluster()
    cluster.there.append({"kind": "Namespace", "metadata": {"name": "there"}})
    if there:
        secret = {"type": KIND, "data": {".dockerconfigjson": "e30="}}
        cluster.there.append({"kind": "Secret", "metadata": {"name": "registry"}, **secret})
    if not told:
        assert look(cluster, vantage=vantage, **PULL).headers == []
        return
    with pytest.raises(TargetError, match=told) as refused:
        look(cluster, vantage=vantage, **PULL)
    assert len(refused.value.problems) == 1


def test_a_secret_of_another_type_pulls_nothing() -> None:
    with pytest.raises(TargetError, match="Secret notes/notes-token is of type None, not kubernetes"):
        look(Cluster(), vantage="", image_pull_secret="notes-token")


@pytest.mark.parametrize(
    ("vantage", "granted"),
    [
        (None, set()),
        ("there", {"get of secrets registry in there"}),
        (
            "",
            {
                "get of secrets registry in default",
                "create of secrets everywhere",
                "patch of secrets everywhere",
            },
        ),
    ],
)
def test_the_right_to_see_what_is_pulled_with_is_asked_for_where_it_is_used(
    vantage: str | None, granted: set[str]
) -> None:
    stated = deployed(Cluster(), **PULL).stated
    assert {str(one) for one in needed(stated, vantage) if one.resource == "secrets"} == granted


@pytest.mark.parametrize(
    ("stated", "said", "contradicts"),
    [
        ("", "1.0.0", False),
        ("1.5.9", "1.0.0", False),  # every 1.x says so
        ("1.5.9", "0.5.23", True),
        ("0.5.23", "1.0.0", True),
        ("0.5.23", "0.6.0", True),
        ("0.5.23", "0.5.23", False),
    ],
)
def test_a_version_that_cannot_be_is_told(stated: str, said: str, contradicts: bool) -> None:
    assert bool(contradiction(stated, said)) is contradicts


def test_the_rights_that_are_shipped_are_those_without_which_nothing_goes_on() -> None:
    shipped = rights.grants(list(yaml.safe_load_all((DOCS / "rights.yaml").read_text())))
    stated = read(DOCS / "bearer.yaml", {})
    wanted = set(needed(stated, rights.HOME, rights.HOME))
    assert wanted <= set(shipped)
    # What it can do without: suggestions of a namespace, what killed runs left, a vantage that says why it does not answer, evidence.
    beyond = {(one.verb, one.resource) for one in set(shipped) - wanted}
    assert beyond == {
        ("get", "namespaces"),
        ("list", "namespaces"),
        ("list", "nodes"),
        ("get", "pods"),
        ("get", "pods/log"),
        ("list", "events"),
        ("list", "pods"),
        ("create", "pods/portforward"),
    }
