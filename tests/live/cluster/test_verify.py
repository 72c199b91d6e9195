"""A release that is verified never notices it: neither from a run that ends, nor from one that is killed, nor from a scenario without its tag."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import pytest

from tests.live.cluster.commands import CHECKOUT
from tests.live.cluster.night import Users, left, state

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.kube.client import Kube
    from tests.live.cluster.site import Site

# Features that see all ways in, write, and are over soon.
SOME: Final = ("features/access.feature", "features/status.feature", "features/troubleshooting.feature")
# How often a run is ended at a random moment, and in which seconds of it: `make night` asks for more.
INTERRUPTIONS: Final = int(os.environ.get("INTERRUPTIONS", "3"))
EARLIEST, LATEST = 2.0, 25.0
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
TAGS: Final = re.compile(r"\s*@(needs-deploying|needs-writing|disruptive)\b")
# A scenario for each way of disturbing, with the tags that it lacks where it is caught, and the mode that catches it.
UNTAGGED: Final = {
    "an apply": (
        "deployment",
        "Applying a live release again changes nothing",
        "--verify",
        "needs-deploying",
    ),
    "a pod that is deleted": (
        "durability",
        "Records survive the pod's deletion",
        "--verify",
        "needs-deploying",
    ),
    "a pod of its own": ("durability", "The database is on the claim", "--verify", "needs-deploying"),
    "a namespace": ("deployment", "The first release goes live", "--verify", "needs-deploying"),
    "a plan": ("plan", "A plan of the live release changes nothing", "--verify", "needs-deploying"),
    "a backup": (
        "backup",
        "An operator with another token can back a release up",
        "--verify",
        "needs-deploying",
    ),
    "a record": ("collections", "A deleted collection is gone", "--read-only", "needs-writing"),
    "a request": ("access", "The refusal of a large body arrives", "--read-only", "needs-writing"),
}


@pytest.fixture(scope="module")
def site(live_site: Site) -> Site:
    """A cluster with a live release, for somebody who is not told its token."""
    return live_site.without_token()


@pytest.fixture(scope="module")
def users(site: Site) -> Iterator[Users]:
    """People who read and write all the time."""
    with Users(site).at_work() as users:
        yield users


class Watch:
    """Sees every state of the release's namespace, of its pod and of its StatefulSet; independent of what runs say."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._over = threading.Event()
        self.seen: list[dict[str, str]] = []
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self.seen.append(self._now())
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self.seen.append(self._now())

    def _look(self) -> None:
        while not self._over.wait(1.0):
            self.seen.append(self._now())

    def _now(self) -> dict[str, str]:
        pods = {
            f"restarts of {pod['metadata']['name']}": str(
                [(one["name"], one["restartCount"]) for one in pod["status"].get("containerStatuses") or ()]
            )
            for pod in self._kube.list("Pod", "chroma")
        }
        return {**state(self._kube), **pods}

    def changes(self) -> list[str]:
        """Return what was not as it was in the beginning, at any moment."""
        first = self.seen[0]
        return sorted(
            {
                f"{name}: {first.get(name)} -> {now.get(name)}"
                for now in self.seen
                for name in first.keys() | now.keys()
                if first.get(name) != now.get(name)
            }
        )


@contextmanager
def unnoticed(users: Users) -> Iterator[None]:
    """See that in a `with` block neither users nor the cluster notice anything."""
    held, errors = users.records(), len(users.errors)
    with Watch(users.kube) as watch:
        yield
    assert watch.changes() == []
    assert users.errors[errors:] == []
    assert users.records() == held


def own(users: Users) -> list[str]:
    """Return what runs that verify have in the release and on the cluster."""
    return [one for one in users.databases() if one.startswith("conformance")] + left(users.kube)


def test_a_verification_is_not_noticed_and_leaves_nothing(site: Site, users: Users, tmp_path: Path) -> None:
    with unnoticed(users):
        code, said = site.ask(site.kubeconfig, tmp_path, "--verify", *SOME)
    assert code == 0, said
    assert "verifies release" in said
    assert "and removed it" in said
    assert "and removed them all" in said
    assert own(users) == []


def test_a_run_that_only_reads_writes_not_a_record(site: Site, users: Users, tmp_path: Path) -> None:
    with unnoticed(users):
        code, said = site.ask(
            site.kubeconfig,
            tmp_path,
            "--read-only",
            "--vantage-namespace",
            "none",
            *SOME,
            "features/objects.feature",
        )
    assert code == 0, said
    assert "0 writes), 0 records" in said
    assert "made no object" in said


@pytest.mark.parametrize("how", UNTAGGED)
def test_a_scenario_that_lacks_its_tag_is_caught(site: Site, users: Users, tmp_path: Path, how: str) -> None:
    stem, title, mode, tag = UNTAGGED[how]
    # Beside the features: what is collected lies below the checkout.
    with tempfile.TemporaryDirectory(prefix=".untagged-", dir=CHECKOUT) as place, unnoticed(users):
        file = Path(place) / f"{stem}.feature"
        text = (CHECKOUT / "features" / file.name).read_text(encoding="utf-8")
        file.write_text(TAGS.sub("", text), encoding="utf-8")
        code, said = site.ask(site.kubeconfig, tmp_path, "--scenario", title, mode, str(file))
    assert (code, f"it lacks its tag @{tag}" in said) == (1, True), said
    assert own(users) == []


@pytest.mark.parametrize("number", range(INTERRUPTIONS))
def test_the_next_run_removes_what_an_ended_one_has_left(
    site: Site, users: Users, tmp_path: Path, number: int
) -> None:
    # Each run of this test ends at other moments; what they were is shown where it fails.
    chance = random.Random()
    moment, how = chance.uniform(EARLIEST, LATEST), SIGNALS[number % len(SIGNALS)]
    print(f"{how.name} after {moment:.1f} s")  # noqa: T201 - pytest shows it where the test fails
    with unnoticed(users):
        _end_after(site, tmp_path, how, moment)
        code, said = site.ask(site.kubeconfig, tmp_path, "--verify", *SOME)
    assert code == 0, said
    assert own(users) == []


def test_an_old_database_of_a_like_name_is_not_touched(site: Site, users: Users, tmp_path: Path) -> None:
    tenant = "/api/v2/tenants/default_tenant/databases"
    theirs = "conformance-0a0a0a0a-00000001-0a0a0a0a-1-1-0a0a0a0a-0a0a0a0a"
    users.ask("POST", tenant, {"name": theirs})
    code, said = site.ask(site.kubeconfig, tmp_path, "--verify", "features/status.feature")
    assert code == 0, said
    assert theirs in users.databases()
    users.ask("DELETE", f"{tenant}/{theirs}")


def test_a_release_that_does_not_take_the_token_is_told_with_the_cause(site: Site, tmp_path: Path) -> None:
    stale = site.with_token("stale-0123456789abcdef")
    code, said = stale.ask(site.kubeconfig, tmp_path, "--verify", "features/objects.feature")
    assert (code, "the token is not the release's" in said) == (1, True), said


def test_there_is_nothing_to_verify_where_nothing_lives(site: Site, tmp_path: Path) -> None:
    code, said = site.ask(site.kubeconfig, tmp_path, "--verify", "--namespace", "nowhere", *SOME)
    assert code == 4, said
    assert "nowhere" in said


def _end_after(site: Site, reports: Path, how: signal.Signals, seconds: float) -> None:
    """Begin to verify, and end that with a signal at some moment; its own clean-up is waited for."""
    with subprocess.Popen(
        site.command(site.kubeconfig, reports, "--verify", *SOME),
        cwd=CHECKOUT,
        env=site.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(how)
        process.wait(120)
