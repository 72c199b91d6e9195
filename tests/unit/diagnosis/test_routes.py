"""What a controller has against a route is a cause of a refusal, and a trouble of its users."""

from __future__ import annotations

from typing import Any

import pytest

from support.core.symptoms import Symptom
from support.diagnosis import causes
from support.diagnosis.findings import Cause, Trouble
from support.diagnosis.observation import Observation
from support.diagnosis.routes import denials
from support.diagnosis.troubles import diagnose


def route(*conditions: tuple[str, str], generation: int = 2, observed: int = 2) -> dict[str, Any]:
    said = [
        {
            "type": kind,
            "status": status,
            "reason": "Why",
            "message": "because",
            "observedGeneration": observed,
        }
        for kind, status in conditions
    ]
    return {
        "kind": "HTTPRoute",
        "metadata": {"name": "chroma-route", "namespace": "chroma", "generation": generation, "uid": "u"},
        "status": {"parents": [{"parentRef": {"name": "g", "namespace": "there"}, "conditions": said}]},
    }


def test_what_is_accepted_or_was_said_of_an_earlier_generation_is_no_denial() -> None:
    assert list(denials(route(("Accepted", "True"), ("ResolvedRefs", "True")))) == []
    assert list(denials(route(("Accepted", "False"), observed=1))) == []
    assert list(denials({"metadata": {"name": "chroma-route"}})) == []


@pytest.mark.parametrize(
    ("kind", "cause", "trouble"),
    [
        ("Accepted", Cause.ROUTE, Trouble.ROUTE),
        ("ResolvedRefs", Cause.BACKEND, Trouble.BACKEND),
    ],
)
def test_a_denial_is_a_cause_and_a_trouble(kind: str, cause: Cause, trouble: Trouble) -> None:
    denied = route((kind, "False"))
    finding = causes.diagnose(Observation(routes=[denied]))
    assert finding
    assert finding.kind is cause
    # The controller may not have seen all that it needs yet.
    assert not finding.terminal
    assert finding.detail == "HTTPRoute chroma-route: Gateway there/g says Why: because"
    seen = diagnose(Symptom("404 page not found", "ingress", status=404), [denied])
    assert seen
    assert seen.kind is trouble


def test_a_route_that_is_gone_is_named() -> None:
    redirect = {"kind": "HTTPRoute", "metadata": {"name": "chroma-redirect"}}
    seen = diagnose(Symptom("404 page not found", "ingress", status=404), [redirect])
    assert seen
    assert (seen.kind, seen.detail) == (Trouble.HOST, "HTTPRoute chroma-route is not there")
