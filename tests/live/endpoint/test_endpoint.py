"""The suite tries real Chromas by their addresses, and notices when what is there is spoiled."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from support.chroma.naming import MARKS, SHARED
from support.chroma.reachable import Credential
from support.network import http
from support.network.way import at
from tests.live.endpoint.servers import (
    BEAT,
    GATEWAY,
    NATIVE,
    ROOT,
    TOKEN,
    chroma,
    files_of,
    gateway,
    native,
    proxy,
    run,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

COLLECTIONS, QUERIES, USAGE, ACCESS = (
    f"features/{name}.feature" for name in ("collections", "queries", "usage", "access")
)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Chroma as `chroma run` starts it."""
    with chroma(tmp_path_factory.mktemp("data")) as url:
        yield url


def report(directory: Path) -> Any:
    return json.loads((directory / "conformance.json").read_text())


def databases(url: str) -> set[str]:
    answer = http.ask(at(url), "GET", "/api/v2/tenants/default_tenant/databases")
    return {one["name"] for one in answer.json()}


def name_of_a_dead_process() -> str:
    """Return the name of a database that a process of this machine has made, which has ended since."""
    program = (
        "import time; from support.chroma.naming import name_of; print(name_of('0a0a0a0a', time.time()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def leave_a_collection(url: str, header: str) -> None:
    """Let a process that is killed leave a collection in the database which runs share where none can be deleted."""
    program = f"""
import os, signal
from pydantic import SecretStr
from support.chroma.database import Database
from support.chroma.endpoint import find
from support.chroma.reachable import Credential, Tenancy
from support.network.way import at
Database(find(at({url!r}), Credential(SecretStr({TOKEN!r}), {header!r}), Tenancy()), "0a0a0a0a").create("field-notes")
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


def collections(url: str, database: str, header: str) -> list[str]:
    path = f"/api/v2/tenants/default_tenant/databases/{database}/collections"
    shown = Credential(SecretStr(TOKEN), header).headers
    return [one["name"] for one in http.ask(at(url), "GET", path, shown).json()]


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def test_an_open_chroma_fails_once_and_in_one_block(plain: str, tmp_path: Path) -> None:
    code, said = run(
        plain, COLLECTIONS, ACCESS, "-k", "deleted_collection or credentials", report_dir=tmp_path
    )
    assert code == 1
    assert said.count("anybody may use it") == 1
    assert report(tmp_path)["levels"]["core"]["failed"] == 0
    assert "it asks for no token" in said


def test_an_open_chroma_that_is_conceded_gives_a_partial_verdict_and_ends_well(
    plain: str, tmp_path: Path
) -> None:
    before = databases(plain)
    left = name_of_a_dead_process()
    path = "/api/v2/tenants/default_tenant/databases"
    for of, what in (("", left), (f"/{left}/collections", "field-notes"), ("", f"{left}-copy")):
        assert http.ask(at(plain), "POST", f"{path}{of}", (), {"name": what}).status == 200
    before.add(f"{left}-copy")
    code, said = run(plain, "--without", "authentication", COLLECTIONS, report_dir=tmp_path)
    assert code == 0, said
    assert f"removed what was left of runs that are dead (0a0a0a0a): database {left} of {plain}" in said
    assert report(tmp_path)["verdict"] == "partial"
    assert report(tmp_path)["endpoint"] == plain
    assert databases(plain) == before, "what the run has written is gone"


def test_a_gate_is_not_passed_where_the_cluster_is_missing(plain: str, tmp_path: Path) -> None:
    arguments = ("--without", "authentication", "--require", "core", COLLECTIONS, "-k", "deleted_collection")
    assert run(plain, *arguments, report_dir=tmp_path)[0] == 5


@pytest.mark.parametrize("header", ["x-chroma-token", "Authorization"])
def test_a_token_lets_the_run_in_and_a_wrong_one_ends_it_in_a_line(
    plain: str, tmp_path: Path, header: str
) -> None:
    def lets_in(_: Mapping[str, str], path: str) -> bool:
        return path == BEAT

    with proxy(plain, header=header, lets_in=lets_in) as url:
        chosen = (ACCESS, "-k", "credentials_is_refused or cannot_write or right_token_gives")
        code, said = run(url, *chosen, report_dir=tmp_path, token=TOKEN, header=header)
        assert code == 0, said
        assert TOKEN not in said
        for token in ("another-token", ""):
            code, said = run(url, *chosen, report_dir=tmp_path, token=token, header=header)
            assert code == 4
            (line,) = [line for line in said.splitlines() if line.startswith("ERROR")]
            assert "token" in line
            assert url in line


def test_workers_share_an_address(plain: str, tmp_path: Path) -> None:
    before = databases(plain)
    arguments = (
        "--without",
        "authentication",
        "-n",
        "2",
        COLLECTIONS,
        USAGE,
        "-k",
        "deleted or Python_client",
    )
    code, said = run(plain, *arguments, report_dir=tmp_path)
    assert code == 0, said
    assert databases(plain) == before


def _edit(change: Callable[[dict[str, Any]], None], *tails: str) -> Any:
    """Spoil the answers to these requests."""

    def spoil(_method: str, path: str, _body: bytes, status: int, answer: bytes) -> tuple[int, bytes]:
        if status >= 300 or not path.endswith(tails):
            return status, answer
        content = json.loads(answer)
        change(content)
        return status, json.dumps(content).encode()

    return spoil


def _cut_documents(answer: dict[str, Any]) -> None:
    answer["documents"] = [one and one[:-1] for one in answer.get("documents") or []]


def _lose_record(answer: dict[str, Any]) -> None:
    for name in ("ids", "embeddings", "documents", "metadatas"):
        if answer.get(name):
            answer[name] = answer[name][:-1]


def _reverse(answer: dict[str, Any]) -> None:
    for name in ("ids", "embeddings", "documents", "metadatas", "distances"):
        if answer.get(name):
            answer[name] = [one[::-1] for one in answer[name]]


def _miscount(_method: str, path: str, _body: bytes, status: int, answer: bytes) -> tuple[int, bytes]:
    return status, str(int(answer) + 1).encode() if path.partition("?")[0].endswith("/count") else answer


def _take_all(_method: str, _path: str, _body: bytes, status: int, answer: bytes) -> tuple[int, bytes]:
    return (200, b"true") if status in {400, 422} else (status, answer)


def _shift(answer: dict[str, Any]) -> None:
    answer["distances"] = [[one + 1 for one in row] for row in answer["distances"]]


@pytest.mark.parametrize(
    ("spoil", "feature", "title"),
    [
        (_edit(_cut_documents, "/get"), COLLECTIONS, "Records are read back as they were added"),
        (_edit(_lose_record, "/get"), COLLECTIONS, "The first addition of an id wins"),
        (_edit(_reverse, "/query"), QUERIES, "Answers are in order of l2 distance"),
        (_edit(_shift, "/query"), QUERIES, "Distances are exact in cosine"),
        (_miscount, COLLECTIONS, "The count is the number of records"),
        (_take_all, COLLECTIONS, "A name with a space is refused"),
    ],
    ids=["cut-documents", "lost-record", "wrong-order", "wrong-distance", "wrong-count", "takes-all"],
)
def test_a_spoiled_chroma_is_noticed(
    plain: str, tmp_path: Path, spoil: Any, feature: str, title: str
) -> None:
    with proxy(plain, spoil=spoil) as url:
        code, said = run(url, feature, "--scenario", title, report_dir=tmp_path, token=TOKEN)
    assert code == 1, said
    assert report(tmp_path)["levels"]["core"]["failed"] == 1


@pytest.mark.parametrize(
    ("lets_in", "title"),
    [
        (
            lambda headers, _: TOKEN.startswith(headers.get("X-Chroma-Token", "?")),
            "A caller with the beginning of the right token is refused",
        ),
        (
            lambda headers, _: headers.get("X-Chroma-Token", "").lower() == TOKEN,
            "A caller with the right token in swapped upper and lower case is refused",
        ),
        (
            lambda _, path: path.endswith("/add"),
            "Without a token a caller cannot add a record",
        ),
    ],
    ids=["beginning", "case", "open-to-writes"],
)
def test_a_proxy_that_lets_strangers_in_is_noticed(
    plain: str, tmp_path: Path, lets_in: Any, title: str
) -> None:
    def as_sent(headers: Mapping[str, str], path: str) -> bool:
        named = {name.title(): value for name, value in headers.items()}
        return path == BEAT or lets_in(named, path)

    with proxy(plain, lets_in=as_sent) as url:
        code, said = run(url, ACCESS, "--scenario", title, report_dir=tmp_path, token=TOKEN)
    assert code == 1, said
    assert "was let in" in said


def test_one_that_lets_everyone_in_is_open(plain: str, tmp_path: Path) -> None:
    code, said = run(plain, ACCESS, "-k", "right_token_gives", report_dir=tmp_path, token=TOKEN)
    assert (code, said.count("anybody may use it")) == (1, 1)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Chroma 0.5.23 consists of."""
    return files_of(NATIVE, tmp_path_factory.mktemp("native"))


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        (
            "X-Chroma-Token",
            (ACCESS, COLLECTIONS, USAGE, "-k", "access or added or deleted or documented_Python"),
        ),
        ("Authorization", (ACCESS, "-k", "credentials or wrong or right_token_gives")),
    ],
)
def test_a_chroma_that_asks_for_the_token_itself_is_held_to_what_its_version_promises(
    files: Path, tmp_path: Path, header: str, chosen: tuple[str, ...]
) -> None:
    with native(files, tmp_path, header=header) as url:
        leave_a_collection(url, header)
        code, said = run(url, *chosen, report_dir=tmp_path, token=TOKEN, header=header)
        assert code == 0, said
        assert (
            f"removed what was left of runs that are dead (0a0a0a0a): collection {SHARED}/field-notes" in said
        )
        for database in (SHARED, MARKS):
            assert not collections(url, database, header), "what runs have written is gone"
        assert TOKEN not in said
        ran = report(tmp_path)
        assert ran["versions"]["chroma"] == "0.5.23"
        assert ran["levels"]["core"]["passed"] > 3
        assert any(
            "Chroma 0.5.23 at this address has not got" in one.get("reason", "") for one in ran["scenarios"]
        )


def test_a_chroma_that_would_ask_for_the_token_itself_is_open_where_it_is_not_told_to(
    files: Path, tmp_path: Path
) -> None:
    with native(files, tmp_path, header=None) as url:
        code, said = run(url, ACCESS, "-k", "right_token_gives", report_dir=tmp_path, token=TOKEN)
    assert (code, said.count("anybody may use it")) == (1, 1), said


def test_a_wrong_token_for_chroma_itself_ends_a_run_in_a_line(files: Path, tmp_path: Path) -> None:
    with native(files, tmp_path) as url:
        code, said = run(url, ACCESS, report_dir=tmp_path, token="another-token")
    (line,) = [line for line in said.splitlines() if line.startswith("ERROR")]
    assert (code, "refuses the token" in line, url in line) == (4, True, True), said


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no loopback of IPv6")
def test_the_gateway_lets_the_right_callers_in_at_an_address_of_ipv6(plain: str, tmp_path: Path) -> None:
    before = databases(plain)
    files = files_of(GATEWAY, tmp_path / "files")
    with gateway(files, tmp_path, plain) as port:
        chosen = (ACCESS, COLLECTIONS, "-k", "caller_credentials or right_token_gives or deleted_collection")
        code, said = run(f"http://[::1]:{port}", *chosen, report_dir=tmp_path, token=TOKEN)
    assert code == 0, said
    assert report(tmp_path)["levels"]["core"]["passed"] > 5
    assert databases(plain) == before
