"""A Job is written as an operator would have it: restricted, bounded, and with what the run in it needs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import kubernetes_validate
import pytest
import yaml
from trustme import CA

from support.jobs.files import JobError
from support.jobs.job import NAME, Wanted, objects
from support.platform.rights import MODES, manifests, scope_of

if TYPE_CHECKING:
    from pathlib import Path

STATED = {"domain_name": "example.com", "harbor_registry": "harbor.example.com", "context": "staging"}


@pytest.fixture
def wanted(tmp_path: Path) -> Wanted:
    file = tmp_path / "staging.yaml"
    file.write_text(yaml.safe_dump(STATED))
    return Wanted("0123abcd", "chroma-conformance", file, ["-m", "core"])


def container(job: Any) -> Any:
    return job["spec"]["template"]["spec"]["containers"][0]


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"schedule": "0 3 * * *"},
        {"shards": 4},
        {"claim": "reports"},
        {"shards": 4, "claim": "reports"},
        {"schedule": "0 3 * * *", "command": "backup", "backup_claim": "backups"},
    ],
    ids=lambda change: " ".join(change) or "one",
)
def test_kubernetes_takes_the_objects(wanted: Wanted, change: dict[str, Any]) -> None:
    for obj in objects(replace(wanted, **change)):
        kubernetes_validate.validate(obj, "1.34", strict=True)


def test_a_job_is_run_once_and_its_exit_code_is_the_verdict(wanted: Wanted) -> None:
    _, job = objects(wanted)
    spec = job["spec"]
    assert job["metadata"]["name"] == "chroma-conformance-0123abcd"
    assert (spec["backoffLimit"], spec["template"]["spec"]["restartPolicy"]) == (0, "Never")
    assert spec["template"]["spec"]["terminationGracePeriodSeconds"] > 60
    assert container(job)["image"] == "harbor.example.com/library/chroma-conformance:0.1.0"
    assert container(job)["args"][-2:] == ["-m", "core"]


def test_a_job_that_backs_up_has_the_claim_and_nothing_of_a_run(wanted: Wanted) -> None:
    given = ["--backup", "/backups", "--keep", "7"]
    backup = replace(wanted, command="backup", backup_claim="nightly", arguments=given)
    _, job = objects(backup)
    pod = job["spec"]["template"]["spec"]
    assert job["metadata"]["name"] == "chroma-conformance-backup-0123abcd"
    assert container(job)["args"][-4:] == given
    assert not [one for one in container(job)["args"] if one.startswith(("--report", "--time-limit"))]
    assert {"name": "backups", "mountPath": "/backups"} in container(job)["volumeMounts"]
    claims = [one["persistentVolumeClaim"] for one in pod["volumes"] if "persistentVolumeClaim" in one]
    assert claims == [{"claimName": "nightly"}]
    # A schedule of its own beside that of the runs.
    cronjob = objects(replace(backup, schedule="0 2 * * *"))[1]
    assert cronjob["metadata"]["name"] == "chroma-conformance-backup"


@pytest.mark.parametrize("mode", MODES)
def test_a_job_runs_as_the_account_whose_rights_are_printed(wanted: Wanted, mode: str) -> None:
    scope = scope_of("chroma", STATED)
    shipped = {(obj["kind"], obj["metadata"]["name"]): obj for obj in manifests(mode, scope)}
    job = objects(replace(wanted, mode=mode))[1]
    pod = job["spec"]["template"]
    account = shipped["ServiceAccount", pod["spec"]["serviceAccountName"]]
    assert account["metadata"]["namespace"] == job["metadata"]["namespace"]
    assert pod["spec"]["automountServiceAccountToken"]
    selected = shipped["NetworkPolicy", NAME]["spec"]["podSelector"]["matchLabels"]
    assert selected.items() <= pod["metadata"]["labels"].items()
    # Who deploys sets the token; who does not may take that of the release.
    source = container(job)["env"][0]["valueFrom"]["secretKeyRef"]
    assert source.get("optional", False) is (mode != "deploy")


def test_a_cronjob_runs_one_at_a_time(wanted: Wanted) -> None:
    _, cronjob = objects(replace(wanted, schedule="0 3 * * *"))
    spec = cronjob["spec"]
    assert (spec["schedule"], spec["concurrencyPolicy"], spec["timeZone"]) == (
        "0 3 * * *",
        "Forbid",
        "Etc/UTC",
    )
    assert spec["successfulJobsHistoryLimit"] < spec["failedJobsHistoryLimit"]
    assert spec["jobTemplate"]["spec"]["backoffLimit"] == 0


def test_the_run_ends_with_its_reports_before_kubernetes_ends_it(wanted: Wanted) -> None:
    usual, asked = (
        objects(wanted)[1],
        objects(replace(wanted, limit=900, arguments=["--time-limit", "900"]))[1],
    )
    assert (
        container(usual)["args"].count("--time-limit") == container(asked)["args"].count("--time-limit") == 1
    )
    for job in (usual, asked):
        limit = float(container(job)["args"][container(job)["args"].index("--time-limit") + 1])
        assert job["spec"]["activeDeadlineSeconds"] >= limit + 300


def test_shards_are_the_pods_of_an_indexed_job(wanted: Wanted) -> None:
    _, job = objects(replace(wanted, shards=4))
    spec = job["spec"]
    assert (spec["completionMode"], spec["completions"], spec["parallelism"]) == ("Indexed", 4, 4)
    # One that fails does not end the others.
    assert (spec["backoffLimitPerIndex"], "backoffLimit" in spec) == (0, False)
    assert "job/4" in container(job)["args"]
    assert "$(JOB_NAME)-$(JOB_COMPLETION_INDEX)" in container(job)["args"]


def test_an_argument_that_looks_like_a_variable_stays_as_it_is(wanted: Wanted) -> None:
    _, job = objects(replace(wanted, arguments=["-k", "$(JOB_NAME)"]))
    assert container(job)["args"][-1] == "$$(JOB_NAME)"


def test_the_inventory_goes_along_with_its_authority_and_without_a_cluster(
    wanted: Wanted, tmp_path: Path
) -> None:
    (tmp_path / "authority.pem").write_text("-----BEGIN CERTIFICATE-----")
    assert wanted.inventory
    wanted.inventory.write_text(yaml.safe_dump(STATED | {"ca_bundle": "authority.pem"}))
    configmap, _ = objects(wanted)
    stated = yaml.safe_load(configmap["data"]["inventory.yaml"])
    assert stated == {
        "domain_name": "example.com",
        "harbor_registry": "harbor.example.com",
        "ca_bundle": "authority.pem",
    }
    assert configmap["data"]["authority.pem"] == "-----BEGIN CERTIFICATE-----"


TARGET: dict[str, Any] = {
    "namespace": "notes",
    "workload": {"kind": "Deployment", "name": "notes"},
    "services": [{"name": "notes", "port": 80}],
}


def test_a_target_goes_along_beside_the_inventory_or_without_one(wanted: Wanted, tmp_path: Path) -> None:
    file = tmp_path / "notes.yaml"
    file.write_text(yaml.safe_dump(TARGET))
    configmap, job = objects(replace(wanted, mode="target", target=file))
    assert configmap["data"].keys() == {"inventory.yaml", "target.yaml"}
    assert yaml.safe_load(configmap["data"]["target.yaml"]) == TARGET
    arguments = container(job)["args"]
    assert arguments[arguments.index("--target") + 1] == "/etc/chroma-conformance/target.yaml"
    assert job["spec"]["template"]["spec"]["serviceAccountName"] == "target"
    alone = replace(wanted, inventory=None, target=file, image="registry.example.com/suite:1")
    configmap, job = objects(alone)
    assert configmap["data"].keys() == {"target.yaml"}
    assert "--inventory" not in container(job)["args"]
    with pytest.raises(JobError, match="needs --image NAME"):
        objects(replace(alone, image=""))


def test_the_authority_of_a_target_does_not_take_the_place_of_the_inventorys(
    wanted: Wanted, tmp_path: Path
) -> None:
    authorities = {name: CA().cert_pem.bytes().decode() for name in ("platform.pem", "notes.pem")}
    for name, text in authorities.items():
        (tmp_path / name).write_text(text)
    assert wanted.inventory
    wanted.inventory.write_text(yaml.safe_dump(STATED | {"ca_bundle": "platform.pem"}))
    file = tmp_path / "notes.yaml"
    file.write_text(yaml.safe_dump(TARGET | {"ca_bundle": "notes.pem"}))
    files = objects(replace(wanted, target=file))[0]["data"]
    for name, authority in (("inventory.yaml", "platform.pem"), ("target.yaml", "notes.pem")):
        assert files[yaml.safe_load(files[name])["ca_bundle"]] == authorities[authority]


def test_a_target_whose_token_is_in_the_users_environment_has_none_in_a_job(
    wanted: Wanted, tmp_path: Path
) -> None:
    file = tmp_path / "notes.yaml"
    file.write_text(yaml.safe_dump(TARGET | {"token": {"environment": "NOTES"}}))
    with pytest.raises(JobError, match="from the variable NOTES, which a Job has not: name a Secret"):
        objects(replace(wanted, target=file))
    file.write_text(yaml.safe_dump(TARGET | {"token": {"environment": "ADMIN_PASSWORD"}}))
    assert objects(replace(wanted, target=file))


def test_its_image_and_that_of_its_vantage_are_pulled_with_what_is_named(
    wanted: Wanted, tmp_path: Path
) -> None:
    assert wanted.inventory
    wanted.inventory.write_text(yaml.safe_dump(STATED | {"image_pull_secret": "registry"}))
    file = tmp_path / "notes.yaml"
    file.write_text(yaml.safe_dump(TARGET | {"image_pull_secret": "other"}))
    for schedule in ("", "0 3 * * *"):
        job = objects(replace(wanted, target=file, schedule=schedule))[1]
        kubernetes_validate.validate(job, "1.34", strict=True)
        spec = job["spec"]["jobTemplate"]["spec"] if schedule else job["spec"]
        assert spec["template"]["spec"]["imagePullSecrets"] == [{"name": "registry"}, {"name": "other"}]
    wanted.inventory.write_text(yaml.safe_dump(STATED))
    assert "imagePullSecrets" not in objects(wanted)[1]["spec"]["template"]["spec"]


@pytest.mark.parametrize(
    ("stated", "change", "told"),
    [
        (STATED | {"admin_password": "sesame"}, {}, "admin_password must not stand in"),
        ({"domain_name": "example.com"}, {}, "names no harbor_registry"),
        (STATED | {"ca_bundle": "absent.pem"}, {}, "its ca_bundle cannot be read: No such file"),
        (STATED, {"schedule": "every night"}, "give five fields"),
        (STATED, {"schedule": "0 3 * *"}, "give five fields"),
    ],
)
def test_what_cannot_be_a_job_is_told(
    wanted: Wanted, stated: dict[str, str], change: dict[str, Any], told: str
) -> None:
    assert wanted.inventory
    wanted.inventory.write_text(yaml.safe_dump(stated))
    with pytest.raises(JobError, match=told):
        objects(replace(wanted, **change))
