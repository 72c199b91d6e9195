"""A Job runs under exactly the rights that the suite ships for its mode, with the NetworkPolicy in force."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pytest

from cluster.layout import Layout
from support.platform import audit, rights
from tests.live.jobs.inside import COMPLETE, FAILED

if TYPE_CHECKING:
    from tests.live.jobs.inside import Inside

# What a run of each mode does that is over soon, and whatever it does on a cluster is in it.
CHOSEN: Final = {
    "deploy": ("features/deployment.feature", "--scenario", "The first release goes live"),
    "verify": ("--verify", "features/access.feature", "features/status.feature"),
    "read-only": ("--read-only", "features/objects.feature", "features/status.feature"),
}
# What is written beside: in mode deploy a mark of the run, and the pod that asks whether the nodes reach the registry.
HOME: Final = {
    "deploy": {rights.HOME, "default", "chroma"},
    "verify": {rights.HOME},
    "read-only": {rights.HOME},
}


@pytest.mark.parametrize("mode", rights.MODES)
def test_a_job_comes_to_its_verdict_under_the_rights_of_its_mode(
    inside: Inside, mode: str, request: pytest.FixtureRequest
) -> None:
    if mode == "deploy":
        # In the others it takes the token of the release.
        request.getfixturevalue("token")
    name, ended, log = inside.end(*CHOSEN[mode])
    assert ended in COMPLETE, log
    report = inside.report(name)
    assert (report["finished"], report["broken"]) == (True, [])
    assert "passed" in {one["outcome"] for one in report["scenarios"]}
    assert "not known of" not in log, log
    used = list(audit.uses(Layout(inside.site.kubeconfig.parent).audit_log, rights.user(mode)))
    granted = rights.grants(rights.manifests(mode, rights.scope_of("chroma", inside.stated)))
    assert not [*map(str, audit.beyond(granted, used))]
    assert not [str(one) for one in used if one.refused]
    assert not [str(one) for one in used if one.writes and not _is_own(mode, one.namespace)]
    # The report is kept by these, which nothing else takes.
    assert {("patch", name), ("create", name)} <= {
        (one.verb, one.name) for one in used if one.resource == "configmaps"
    }


def _is_own(mode: str, namespace: str) -> bool:
    return namespace in HOME[mode] or (mode == "deploy" and namespace.startswith("chroma-"))


@pytest.mark.parametrize(
    ("mode", "lacking"),
    [
        ("verify", rights.Grant("patch", "", "configmaps", rights.HOME)),
        ("verify", rights.Grant("create", "", "pods", rights.HOME)),
        ("read-only", rights.Grant("list", "apps", "statefulsets", "chroma")),
    ],
    ids=str,
)
def test_a_job_that_lacks_a_right_fails_and_names_it(
    inside: Inside, mode: str, lacking: rights.Grant
) -> None:
    (role,) = [
        obj
        for obj in rights.manifests(mode, rights.scope_of("chroma", inside.stated))
        if obj["kind"] == "Role" and lacking in rights.grants([obj])
    ]
    (place,) = [
        number
        for number, rule in enumerate(role["rules"])
        if lacking.resource in rule["resources"] and lacking.group in rule["apiGroups"]
    ]
    verbs = role["rules"][place]["verbs"]
    change = {
        "op": "replace",
        "path": f"/rules/{place}/verbs",
        "value": [verb for verb in verbs if verb != lacking.verb],
    }
    named = ("role", role["metadata"]["name"], "--namespace", role["metadata"]["namespace"])
    inside.kubectl("patch", *named, "--type=json", "--patch", json.dumps([change]))
    try:
        _, ended, log = inside.end(*CHOSEN[mode])
    finally:
        inside.grant(mode)
    assert ended in FAILED, log
    assert f"in namespace {lacking.namespace}: {lacking.verb} of " in log, log
    assert lacking.on in log, log
