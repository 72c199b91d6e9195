"""A release that lives on a cluster changes only where its operator wants that, and by no run of features unasked."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from support.core.wait import wait_for
from support.kube.client import Kube
from tests.live.cluster.commands import CHECKOUT
from tests.live.cluster.site import Site, booted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Scenarios that need the live release and change nothing of it.
LOOKS = ("features/objects.feature", "--scenario", "The Namespace is as documented")
# A scenario that needs another release than the one under test: it is skipped.
SKIPPED = ("features/usage.feature", "-m", "needs-api-v1")
CLAIM = "chroma-data-pvc"


class Operator:
    """Calls the suite on one cluster, and looks what that came to."""

    def __init__(self, site: Site, reports: Path) -> None:
        self.site = site
        self.kube = Kube(site.kubeconfig, None)
        self._reports = reports

    def ask(self, *options: str, token: str | None = None) -> tuple[int, str]:
        """Call the suite, and return its exit code and all that it says."""
        site = self.site.with_token(token) if token else self.site
        return site.ask(site.kubeconfig, self._reports, *options)

    def do(self, *options: str) -> str:
        """Call the suite, which must end well, and return all that it says."""
        code, said = self.ask(*options)
        assert code == 0, said
        return said

    def state(self, namespace: str = "chroma") -> dict[str, Any]:
        """Return what must stay: the versions of what an apply would touch, and the pod."""
        kinds = ("StatefulSet", "Secret", "ConfigMap", "Ingress", "Service", "PersistentVolumeClaim")
        found = [one for kind in kinds for one in self.kube.list(kind, namespace)]
        pods = {one["metadata"]["name"]: one["metadata"]["uid"] for one in self.kube.list("Pod", namespace)}
        return {
            f"{one['kind']} {one['metadata']['name']}": one.get("spec") or one.get("data") for one in found
        } | pods

    def memory(self) -> str:
        """Return the memory limit of the live release."""
        statefulset = self.kube.get("StatefulSet", "chroma", "chroma")
        assert statefulset
        containers = statefulset["spec"]["template"]["spec"]["containers"]
        return str(
            next(one for one in containers if one["name"] == "chroma")["resources"]["limits"]["memory"]
        )


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """An operator of a cluster with a live release of 3 GiB of memory."""
    directory = tmp_path_factory.mktemp("live-release")
    with booted(directory) as site:
        operator = Operator(site, directory / "reports")
        said = operator.do("--apply", "--set", "chroma.memory=3Gi")
        assert "create  StatefulSet chroma" in said
        assert "is live at https://chroma.example.com" in said
        yield operator


@pytest.mark.parametrize(
    ("options", "token", "named"),
    [
        ((), None, "the limit of memory of container chroma falls: 3Gi -> 2Gi"),
        (("--set", "chroma.memory=3Gi"), "stale-0123456789abcdef", "the token changes"),
        (("--set", "chroma.memory=3Gi", "--fault", "wrong-host"), None, "Ingress chroma-ingress"),
        (("--set", "chroma.memory=3Gi", "--host", "other.example.com"), None, "-> other.example.com"),
    ],
    ids=["another release", "a stale token", "a fault", "another host"],
)
def test_a_run_of_features_changes_no_live_release_unasked(
    operator: Operator, options: tuple[str, ...], token: str | None, named: str
) -> None:
    before = operator.state()
    code, said = operator.ask(*LOOKS, *options, token=token)
    assert (code, named in said, "--apply-changes" in said) == (4, True, True), said
    assert operator.state() == before


def test_an_unchanged_release_is_not_touched_by_a_run_on_two_workers(operator: Operator) -> None:
    before = operator.state()
    said = operator.do(*LOOKS, "--set", "chroma.memory=3Gi", "-n", "2")
    assert 'release "gateway" lives in chroma, and is left as it is' in said
    assert operator.state() == before
    names = [one["metadata"]["name"] for one in operator.kube.list("Namespace")]
    assert [name for name in names if name.startswith("chroma")] == ["chroma"], names


def test_a_command_asks_before_users_notice(operator: Operator) -> None:
    before = operator.state()
    code, said = operator.ask("--apply")
    assert (code, "its pod is replaced" in said, "with --yes it is done" in said) == (4, True, True), said
    assert operator.state() == before


@pytest.mark.parametrize(("answer", "code"), [("n", 4), ("", 4), ("y", 0)], ids=["no", "nothing", "yes"])
def test_an_operator_at_a_terminal_is_asked(
    operator: Operator, tmp_path: Path, answer: str, code: int
) -> None:
    site, before = operator.site, operator.memory()
    wanted = "4Gi" if before == "3Gi" else "3Gi"
    outer, inner = pty.openpty()
    try:
        process = subprocess.Popen(
            site.command(site.kubeconfig, tmp_path, "--apply", "--set", f"chroma.memory={wanted}"),
            cwd=CHECKOUT,
            env=site.environ,
            stdin=inner,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        os.write(outer, f"{answer}\n".encode())
        said, _ = process.communicate(timeout=200)
    finally:
        os.close(outer)
        os.close(inner)
    assert (process.returncode, "go on? [y/N]" in said) == (code, True), said
    assert operator.memory() == (wanted if code == 0 else before)


def test_an_earlier_revision_is_applied_again(operator: Operator) -> None:
    operator.do("--apply", "--set", "chroma.memory=3Gi", "--yes")
    first = json.loads(
        operator.ask("--history", "json")[1].partition("[\n")[2].rpartition("]")[0].join("[]")
    )[0]
    assert first["stated"]["chroma"]["memory"]["limit"] == "3Gi"
    operator.do("--apply", "--set", "chroma.memory=5Gi", "--yes")
    assert operator.memory() == "5Gi"
    said = operator.do("--back-to", str(first["number"]), "--yes")
    assert "limits.memory: 5Gi -> 3Gi" in said
    assert operator.memory() == "3Gi"
    assert "resources.limits.memory: 5Gi -> 3Gi" in operator.do("--history")


def test_a_revision_that_is_not_there_is_told_with_those_that_are(operator: Operator) -> None:
    code, said = operator.ask("--back-to", "99")
    assert (code, "there is no revision 99 in chroma: there are 1" in said) == (4, True), said


def test_a_second_run_is_kept_off_by_name(operator: Operator, tmp_path: Path) -> None:
    site = operator.site
    first = subprocess.Popen(
        site.command(site.kubeconfig, tmp_path, *LOOKS, "--set", "chroma.memory=3Gi", "--setup-show"),
        cwd=CHECKOUT,
        env=site.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(
            lambda: operator.kube.get("Lease", "chroma-conformance-chroma", "chroma"), 60, lambda: "no Lease"
        )
        first.send_signal(19)  # SIGSTOP: it lives, and gets no further
        code, said = operator.ask("--apply", "--yes")
    finally:
        first.send_signal(18)  # SIGCONT
        first.wait(timeout=200)
    assert code == 4, said
    assert "the release in chroma is in use by run" in said
    assert "(a run of features), by kubernetes-admin" in said
    assert operator.kube.get("Lease", "chroma-conformance-chroma", "chroma") is None


def test_the_release_of_a_dead_run_is_free_at_once(operator: Operator, tmp_path: Path) -> None:
    site = operator.site
    first = subprocess.Popen(
        site.command(site.kubeconfig, tmp_path, *LOOKS, "--set", "chroma.memory=3Gi"),
        cwd=CHECKOUT,
        env=site.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for(
        lambda: operator.kube.get("Lease", "chroma-conformance-chroma", "chroma"), 60, lambda: "no Lease"
    )
    first.kill()
    first.wait(timeout=60)
    operator.do("--apply", "--set", "chroma.memory=3Gi")


def test_a_run_that_used_no_release_says_that_it_rolled_none_back(operator: Operator) -> None:
    code, said = operator.ask(
        *SKIPPED, "--set", "chroma.memory=3Gi", "--roll-back", "always", "--remove-data"
    )
    assert code == 5, said
    assert "was not rolled back, since no scenario used it" in said
    assert operator.kube.get("StatefulSet", "chroma", "chroma")


def test_a_backup_is_restored_beside_its_release_and_takes_its_place(
    operator: Operator, tmp_path: Path
) -> None:
    file = str(tmp_path / "chroma.tar")
    operator.do("--backup", file)
    said = operator.do("--namespace", "chroma-b", "--restore", file)
    assert 'the release is that of the backup: "gateway"' in said
    assert "chroma-b.example.com" in operator.do("--namespace", "chroma-b", "--status")
    # The revision that the restore has made, so that nobody has to remember what the release was.
    moved = ("--namespace", "chroma-b", "--host", "chroma.example.com", "--back-to", "1")
    code, said = operator.ask(*moved, "--plan")
    assert (code, "its host leads to another namespace" in said) == (1, True), said
    assert "limits.memory" not in said
    assert operator.ask(*moved)[0] == 1
    said = operator.do("--remove")
    assert f"stays     PersistentVolumeClaim {CLAIM}" in said
    code, said = operator.ask(*moved)
    assert (code, "the host chroma-b.example.com no longer leads to the release" in said) == (4, True), said
    operator.do(*moved, "--yes")
    # From now on the host stays where none is named.
    assert "0 to change" in operator.do("--namespace", "chroma-b", "--set", "chroma.memory=3Gi", "--plan")
    code, said = operator.ask("--namespace", "chroma-b", "--remove", "--remove-data")
    assert (code, "is deleted with it" in said) == (4, True), said
    assert operator.kube.get("PersistentVolumeClaim", CLAIM, "chroma-b")
    operator.do("--namespace", "chroma-b", "--remove", "--remove-data", "--yes")
    assert operator.kube.get("Namespace", "chroma-b") is None
    # The data of the original is still there.
    said = operator.do("--apply", "--set", "chroma.memory=3Gi")
    assert "0 to change" in said or "create  StatefulSet chroma" in said
