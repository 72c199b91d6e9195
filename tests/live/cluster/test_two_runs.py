"""Two suites at once on one cluster do not meet, whatever tokens they have: each has its own, or one says for whom it waits."""

from __future__ import annotations

import re
import signal
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

import pytest

from support.core.component import AUTH_KEY, AUTH_SECRET, LAST_LIVE
from support.core.wait import wait_for
from support.kube.client import Kube
from support.kube.secrets import decoded
from tests.live.cluster.night import Users, left, state
from tests.live.cluster.place import PATIENCE

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from tests.live.cluster.site import Site

# What writes, sees the ways inside the cluster, and is over soon.
VERIFIED: Final = (
    "--verify",
    "features/access.feature",
    "features/collections.feature",
    "-k",
    "right_token_gives or no_port or a_deleted_collection",
)
# What deploys a release, and proves it.
DEPLOYED: Final = ("features/access.feature", "-k", "right_token_gives or credentials_is_refused")
OTHER: Final = "another-0123456789abcdef"
# Who holds the release, as what, and since when.
HELD: Final = re.compile(
    r"the release in chroma is in use by run [0-9a-f]+ \(a run of features\), by kubernetes-admin.*, "
    r"since \d{4}-\d\d-\d\dT[\d:.]+Z: wait until that has ended"
)
# In which each deploys.
ONE, TWO = "chroma-one", "chroma-two"


@pytest.fixture(scope="module")
def kube(live_site: Site) -> Kube:
    return Kube(live_site.kubeconfig, None)


@pytest.fixture(scope="module")
def users(live_site: Site) -> Iterator[Users]:
    """People who read and write all the time."""
    with Users(live_site).at_work() as users:
        yield users


def token(kube: Kube, namespace: str) -> str:
    """Return the token that the release of a namespace has."""
    return decoded(kube.get("Secret", AUTH_SECRET, namespace) or {})[AUTH_KEY]


def ended(run: subprocess.Popen[str]) -> None:
    """See that a run ends well."""
    said, _ = run.communicate(timeout=6 * PATIENCE)
    assert run.returncode == 0, said


def test_two_that_verify_one_release_at_once_do_not_meet(
    live_site: Site, users: Users, tmp_path: Path
) -> None:
    before = state(users.kube)
    with ExitStack() as stack:
        both = [
            stack.enter_context(live_site.without_token().begun(tmp_path / name, *VERIFIED))
            for name in ("one", "two")
        ]
        for run in both:
            ended(run)
    assert [one for one in users.databases() if one.startswith("conformance")] == []
    assert left(users.kube) == []
    assert state(users.kube) == before
    assert users.errors == []


def test_who_comes_to_a_release_in_use_says_for_whom_to_wait_and_the_token_stays(
    live_site: Site, kube: Kube, users: Users, tmp_path: Path
) -> None:
    stranger, lives = live_site.with_token(OTHER), token(kube, "chroma")
    with live_site.begun(tmp_path / "first", *DEPLOYED) as first:
        wait_for(
            lambda: kube.get("Lease", "chroma-conformance-chroma", "chroma"), PATIENCE, lambda: "no Lease"
        )
        first.send_signal(signal.SIGSTOP)  # it lives, and gets no further
        for options in ((*DEPLOYED, "--apply-changes"), VERIFIED):
            code, said = stranger.ask(live_site.kubeconfig, tmp_path / "second", *options)
            assert (code, bool(HELD.search(said))) == (4, True), said
            assert token(kube, "chroma") == lives
        first.send_signal(signal.SIGCONT)
        ended(first)
    assert users.errors == []


def test_two_that_deploy_at_once_in_two_namespaces_prove_their_own_and_touch_no_other(
    live_site: Site, kube: Kube, users: Users, tmp_path: Path
) -> None:
    tokens = {ONE: live_site.environ["ADMIN_PASSWORD"], TWO: OTHER}
    sites = {name: live_site.with_token(value) for name, value in tokens.items()}
    lives = state(users.kube)
    try:
        with sites[ONE].begun(tmp_path / ONE, *DEPLOYED, "--namespace", ONE) as first:
            wait_for(lambda: kube.get("Secret", LAST_LIVE, ONE), PATIENCE, lambda: f"{ONE} does not live")
            first.send_signal(signal.SIGSTOP)  # so that whatever changes there now is another's doing
            before = state(kube, ONE)
            code, said = sites[TWO].ask(live_site.kubeconfig, tmp_path / TWO, *DEPLOYED, "--namespace", TWO)
            assert code == 0, said
            assert state(kube, ONE) == before
            first.send_signal(signal.SIGCONT)
            ended(first)
        assert {name: token(kube, name) for name in tokens} == tokens
        assert state(users.kube) == lives
        assert users.errors == []
    finally:
        for name in tokens:
            kube.delete("Namespace", name)
    assert left(kube) == []
