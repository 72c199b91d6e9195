"""Whatever a cluster, a network or a file does, a user gets one clear message and never a traceback."""

from __future__ import annotations

import re
import resource
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

import pytest

from tests.live.cluster.commands import CHECKOUT
from tests.live.cluster.misbehaving import Rule, body, die, drop, fall_silent, half, misbehaving, status
from tests.live.cluster.site import Site, booted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.live.cluster.misbehaving import Handler

TITLE: Final = "Applying a live release again changes nothing"
RUN: Final = ("--scenario", TITLE)
STATUS, PLAN = ("--status",), ("--plan",)
# What only a mistake of the suite may show.
TRACES: Final = re.compile(
    r"Traceback \(most recent call last\)|INTERNALERROR|^\S+\.py:\d+: in |KeyError", re.MULTILINE
)
# Bytes that a process may write to a file whose disk is full: less than the smallest database.
ROOM: Final = 64 * 1024
# What a status may take of a processor, by how much a test may be wrong on a busy machine, and how often it is measured.
PROMISED_SECONDS, LENIENCE, TRIES = 0.8, 2.0, 4
IN_CHROMA: Final = r"/namespaces/chroma/"

WEBHOOK: Final = (
    'Internal error occurred: failed calling webhook "validate.example.com": failed to call webhook: Post '
    '"https://guard.policies.svc:443/v?timeout=10s": no endpoints available for service "guard"'
)


@dataclass(frozen=True)
class Case:
    """What goes wrong under a command, and what its user is told: one of the exit codes, and some words."""

    title: str
    options: tuple[str, ...]
    pattern: str
    react: Callable[[Handler], None] | None
    codes: set[int]
    words: str
    spared: int = 0
    files: dict[str, bytes] = field(default_factory=dict)
    full: bool = False  # the disk

    def rules(self) -> list[Rule]:
        """Return what the API server does."""
        return [Rule(self.pattern, self.react, self.spared)] if self.react else []


def on_status(
    title: str, react: Callable[[Handler], None], words: str, codes: set[int] | None = None
) -> Case:
    return Case(f"--status: {title}", STATUS, rf"GET .*{IN_CHROMA}pods", react, codes or {1}, words)


def on_plan(title: str, pattern: str, react: Callable[[Handler], None], words: str, code: int = 1) -> Case:
    return Case(f"--plan: {title}", PLAN, pattern, react, {code}, words)


def on_copy(title: str, pattern: str, react: Callable[[Handler], None], words: str, *codes: int) -> Case:
    return Case(
        f"--backup: {title}", ("--backup", "{tmp}/day.tar"), pattern, react, set(codes or (1,)), words
    )


def on_run(title: str, pattern: str, react: Callable[[Handler], None], words: str, *codes: int) -> Case:
    return Case(f"a run: {title}", RUN, pattern, react, set(codes or (1,)), words)


def on_file(title: str, options: tuple[str, ...], words: str, *codes: int, **files: bytes) -> Case:
    return Case(title, options, "", None, set(codes or (1,)), words, files=files)


PATCH: Final = rf"PATCH .*{IN_CHROMA}"
WATCHED: Final = r"watch=true"
FORWARD: Final = r"portforward"
CASES: Final = [
    on_status("the API server goes away", die, "does not answer", {4}),
    on_status("500", status(500, "InternalError", "etcdserver: leader changed"), "leader changed"),
    on_status("503", status(503, "ServiceUnavailable", "shutting down"), "shutting down"),
    on_status("503 of a load balancer", body(503, "<html>upstream unavailable"), "upstream unavailable"),
    on_status("429", status(429, "TooManyRequests", "slow down"), "slow down"),
    on_status("403", status(403, "Forbidden", "may not list pods"), "may not list pods"),
    on_status("401", status(401, "Unauthorized", "Unauthorized"), "Unauthorized"),
    on_status("half an answer", half, "breaks off"),
    on_status("connections that end without a word", drop, "API server"),
    on_status("a page instead of an answer", body(200, "<html>sign in"), "sign in"),
    on_status("JSON that is no object", body(200, "[1]", "application/json"), "answered by no API server"),
    on_status("a list without items", body(200, "{}", "application/json"), "no list"),
    Case(
        "--status: the way into the cluster fails",
        STATUS,
        r"GET /version",
        status(503, "", "gone"),
        {4},
        "503",
    ),
    Case(
        "--status: discovery fails",
        STATUS,
        r"GET /apis($|\?)",
        status(503, "", "no discovery"),
        {0, 1},
        "chroma",
    ),
    on_plan(
        "a webhook that nobody answers",
        PATCH + "ingresses",
        status(500, "InternalError", WEBHOOK),
        "Service guard",
    ),
    on_plan(
        "429 for one object",
        PATCH + "services",
        status(429, "TooManyRequests", "quota server"),
        "quota server",
    ),
    on_plan(
        "504 for one object",
        PATCH + "statefulsets",
        status(504, "Timeout", "did not complete"),
        "did not complete",
    ),
    on_plan("the API server goes away", PATCH + "statefulsets", die, "does not answer", 4),
    on_plan("a connection that ends without a word", PATCH + "statefulsets", drop, "API server"),
    on_plan("half an answer", PATCH + "statefulsets", half, "breaks off"),
    on_plan("a page instead of an answer", PATCH + "secrets", body(200, "<html>sign in"), "sign in"),
    on_plan(
        "the certificate cannot be read",
        r"GET .*/secrets/",
        status(500, "InternalError", "sealed"),
        "sealed",
        4,
    ),
    on_copy(
        "websockets are forbidden", FORWARD, status(403, "Forbidden", "no port-forward"), "no port-forward"
    ),
    on_copy("websockets are unknown", FORWARD, body(200, "<html>proxy"), ""),
    on_copy(
        "the pod that copies is refused",
        rf"POST .*{IN_CHROMA}pods",
        status(500, "InternalError", WEBHOOK),
        "guard",
    ),
    on_file("--restore: a file that is not there", ("--restore", "{tmp}/no.tar"), "no.tar"),
    on_file("--restore: a folder", ("--restore", "{tmp}"), "{tmp}"),
    on_file(
        "--restore: a file that is no backup",
        ("--restore", "{tmp}/a.tar"),
        "a.tar",
        **{"a.tar": b"\0\xff" * 999},
    ),
    on_file(
        "an inventory that is no text", ("--plan", "--inventory", "{tmp}/i"), "{tmp}/i", 4, i=b"\xff\xfe\x00"
    ),
    on_file("an inventory that is a folder", ("--plan", "--inventory", "{tmp}"), "{tmp}", 4),
    on_file(
        "a kubeconfig that is no text", ("--plan", "--kubeconfig", "{tmp}/k"), "{tmp}/k", 4, k=b"\xff\xfe\x00"
    ),
    on_file(
        "a kubeconfig without a cluster",
        ("--plan", "--kubeconfig", "{tmp}/k"),
        "{tmp}/k",
        4,
        k=b"kind: Config",
    ),
    on_run("the API server goes away", PATCH, die, "does not answer", 4),
    on_run(
        "500 for one object",
        PATCH + "statefulsets",
        status(500, "InternalError", WEBHOOK),
        "rejected by admission",
    ),
    on_run(
        "429 for one object",
        PATCH + "services",
        status(429, "TooManyRequests", "slow down"),
        "rejected by admission",
    ),
    on_run(
        "no pod is admitted", rf"POST .*{IN_CHROMA}pods", status(503, "", "guard is away"), "guard is away"
    ),
    on_run("watches are silent", WATCHED, fall_silent, "1 passed", 0),
    on_run("watches are refused", WATCHED, status(500, "InternalError", "no watch cache"), "1 passed", 0),
    on_run("watches are garbled", WATCHED, body(200, "<html>"), "1 passed", 0),
    on_run("the record is half an answer", r"GET .*/secrets/chroma-last-live", half, "breaks off", 4),
    on_file(
        "a fault that is no text",
        ("--plan", "--fault", "{tmp}/f.yaml"),
        "f.yaml",
        4,
        **{"f.yaml": b"\xff\xfe"},
    ),
]


def _fill_disk() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, ROOM))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A cluster of Chroma's images with a live release."""
    directory = tmp_path_factory.mktemp("site")
    with booted(directory) as found:
        code, told = found.ask(found.kubeconfig, directory, *RUN)
        assert code == 0, told
        yield found


def try_out(case: Case, site: Site, directory: Path) -> list[str]:
    """Let a case happen, and return what is wrong with what its user gets."""
    for name, content in case.files.items():
        (directory / name).write_bytes(content)
    options = [word.format(tmp=directory) for word in case.options]
    (directory / "api").mkdir()
    with misbehaving(site.kubeconfig, directory / "api", *case.rules()) as kubeconfig:
        code, told = site.ask(
            kubeconfig, directory / "reports", *options, before=_fill_disk if case.full else None
        )
    words = case.words.format(tmp=directory)
    wrong = [f"promised: exit code {sorted(case.codes)}; seen: {code}"] * (code not in case.codes)
    wrong += [f"promised: {words!r}"] * (words not in told)
    wrong += [f"a traceback: {found[0]!r}" for found in [TRACES.search(told)] if found]
    return [*wrong, told] if wrong else []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_a_user_is_told_and_no_traceback_is_shown(case: Case, site: Site, tmp_path: Path) -> None:
    wrong = try_out(case, site, tmp_path)
    assert not wrong, "\n".join(wrong)


def test_a_status_of_a_live_release_takes_little_of_a_processor(site: Site, tmp_path: Path) -> None:
    # What is measured is the least of some: the first one compiles, and others use the machine as well.
    site.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    spent = []
    for _ in range(TRIES):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        code, told = site.ask(site.kubeconfig, tmp_path, "--status")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert code == 0, told
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(spent) < PROMISED_SECONDS * LENIENCE, spent


def test_a_watch_ends_by_ctrl_c_with_the_exit_code_of_the_last_status(site: Site) -> None:
    options = ("--status", "watch", f"--kubeconfig={site.kubeconfig}", f"--inventory={site.inventory}")
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", "features/", "-p", "no:cacheprovider", *options],
        cwd=CHECKOUT,
        env=site.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Whoever started the tests may have told them to ignore it.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509 - a call of C alone
    ) as watching:
        assert watching.stdout
        first = watching.stdout.readline()
        watching.send_signal(signal.SIGINT)
        rest, told = watching.communicate(timeout=60)
    assert first.rstrip().endswith("in chroma: live"), first + rest + told
    assert watching.returncode == 0, told
    assert not TRACES.search(rest + told)


def test_at_least_thirty_failures_are_tried() -> None:
    assert len(CASES) >= 30
