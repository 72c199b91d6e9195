"""A Job tries what something else deployed, under the rights that are shipped for that, and pulls with what is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from cluster.layout import Layout
from support.platform import audit, rights
from tests.live.cluster.others import BEARER, RIGHTS, deploy
from tests.live.jobs.inside import COMPLETE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.live.jobs.inside import Inside

ACCOUNT = "target"
# What writes, sees all ways, and is over soon.
CHOSEN = (
    *("features/access.feature", "features/collections.feature"),
    *("-k", "right_token_gives or no_port or a_deleted_collection"),
)
PULL = "registry"


@pytest.fixture
def target(inside: Inside, tmp_path: Path) -> Path:
    """The file of a Chroma beside the release, whose vantage is pulled from a registry that asks for credentials."""
    deploy(inside.site, BEARER)
    text = RIGHTS.read_text()
    assert text.count("\n  # - {") == 1
    inside.apply(text.replace("\n  # - {", "\n  - {").replace("[registry]", f"[{PULL}]"))
    file = tmp_path / "notes.yaml"
    file.write_text(yaml.safe_dump({**yaml.safe_load(BEARER.read_text()), "image_pull_secret": PULL}))
    return file


def test_a_job_tries_a_target_once_its_images_can_be_pulled(inside: Inside, target: Path) -> None:
    options = ("--target", str(target), *CHOSEN)
    site = inside.site
    code, said = site.ask(site.kubeconfig, inside.directory, "--job", *options)
    assert (code, "apiVersion" in said) == (4, False), said
    assert f"Secret {rights.HOME}/{PULL} is missing" in said
    inside.kubectl("create", "secret", "docker-registry", PULL, "--docker-username=a", "--docker-password=b")
    name, ended, log = inside.end(*options)
    assert ended in COMPLETE, log
    report = inside.report(name)
    assert (report["finished"], report["broken"], report["versions"]["deployed"]) == (
        True,
        [],
        "Deployment notes/notes",
    )
    assert {one["outcome"] for one in report["scenarios"]} == {"passed"}
    assert "into pods: 0 connections" not in log, "the ways inside the cluster are seen"
    spec = inside.pod(name)["spec"]
    assert (spec["serviceAccountName"], spec["imagePullSecrets"]) == (ACCOUNT, [{"name": PULL}])
    user = rights.user(ACCOUNT)
    used = list(audit.uses(Layout(site.kubeconfig.parent).audit_log, user))
    changes = {f"{one.verb} {one.resource}" for one in used if one.writes}
    pod = {"create pods", "delete pods", "get pods/portforward"}
    assert changes == pod | {"create configmaps", "patch configmaps"}
    assert {one.namespace for one in used if one.writes} == {rights.HOME}
