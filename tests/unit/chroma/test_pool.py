"""Scenarios share the collections of a real Chroma, which keeps the index of each on its disk for good."""

from __future__ import annotations

import socket
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from support.chroma import calls, samples
from support.chroma.database import Database
from support.chroma.pool import Pool
from support.chroma.reachable import Credential, Tenancy
from support.chroma.types import Metric
from support.core.wait import Deadlines, wait_for
from support.network import http
from support.network.way import Way, tls_context
from support.release.versions import CONFIGURATION, DATABASE_DELETION, ID_REUSE

if TYPE_CHECKING:
    from collections.abc import Iterator

CAN = frozenset({CONFIGURATION, DATABASE_DELETION, ID_REUSE})


@dataclass(frozen=True)
class There:
    """A Chroma that can do this and no more."""

    way: Way
    capabilities: frozenset[str] = CAN
    credential: Credential = field(default_factory=lambda: Credential(SecretStr("")))
    tenancy: Tenancy = field(default_factory=Tenancy)
    refusal: int = 401
    open_paths: frozenset[str] = frozenset()
    lasting: bool = True


CHROMA = Path(sys.executable).with_name("chroma")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Way, Path]]:
    """A Chroma of its own, and where its data lies."""
    data = tmp_path_factory.mktemp("data")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    way = Way("pod", f"http://127.0.0.1:{port}", tls_context(None))
    command = [str(CHROMA), "run", "--path", str(data), "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(
                lambda: http.ask(way, "GET", "/api/v2/heartbeat").status == 200,
                Deadlines().live,
                lambda: f"Chroma does not start: {process.poll()}",
                (http.NoResponse,),
            )
            yield way, data
        finally:
            process.terminate()


@pytest.fixture
def way(server: tuple[Way, Path]) -> Way:
    return server[0]


@contextmanager
def indexes(server: tuple[Way, Path], more: int) -> Iterator[None]:
    """Demand that so many index directories come into being."""
    before = {each for each in server[1].iterdir() if each.is_dir()}
    yield
    assert len({each for each in server[1].iterdir() if each.is_dir()} - before) == more


@pytest.fixture
def pool(way: Way) -> Iterator[Pool]:
    with Pool(partial(Database, There(way), "0000aaaa")) as pool:
        yield pool


def scenario(way: Way, pool: Pool | None, can: frozenset[str] = CAN) -> Database:
    return Database(There(way, can), "0000aaaa", pool)


def databases(way: Way) -> set[str]:
    answer = http.ask(way, "GET", "/api/v2/tenants/default_tenant/databases")
    return {one["name"] for one in answer.json()}


def test_scenarios_one_after_the_other_use_one_collection(server: tuple[Way, Path], pool: Pool) -> None:
    with indexes(server, more=1):
        for count in (3, 5, 0, 2):
            with scenario(server[0], pool) as database:
                records = samples.records(count)
                assert calls.contents(database.reuse(records=records)) == records


def test_without_a_pool_each_scenario_leaves_an_index(server: tuple[Way, Path]) -> None:
    with indexes(server, more=3):
        for _ in range(3):
            with scenario(server[0], None) as database:
                database.reuse(records=samples.records(1))


def test_where_ids_cannot_be_given_again_a_collection_is_new(server: tuple[Way, Path], pool: Pool) -> None:
    with indexes(server, more=2):
        for _ in range(2):
            with scenario(server[0], pool, CAN - {ID_REUSE}) as database:
                database.reuse(records=samples.records(1))


def test_a_scenario_is_lent_several_and_each_of_its_own_kind(way: Way, pool: Pool) -> None:
    with scenario(way, pool) as database:
        kinds = [(Metric.L2, 3), (Metric.L2, 3), (Metric.COSINE, 3), (Metric.L2, 4)]
        lent = [
            database.reuse(metric, dimension, samples.records(2, dimension)) for metric, dimension in kinds
        ]
        assert len({str(one.id) for one in lent}) == 4
        assert [(one.configuration["hnsw"] or {}).get("space") for one in lent] == [
            kind[0].value for kind in kinds
        ]
    with scenario(way, pool) as database:
        again = [database.reuse(*kind) for kind in kinds]
        assert {str(one.id) for one in again} == {str(one.id) for one in lent}
        assert [one.count() for one in again] == [0, 0, 0, 0]


def test_a_collection_that_is_gone_is_not_lent_again(way: Way, pool: Pool) -> None:
    with scenario(way, pool) as database:
        gone = database.reuse()
        http.ask(way, "DELETE", _path(gone.database, f"/collections/{gone.name}"))
    with scenario(way, pool) as database:
        assert database.reuse(records=samples.records(1)).count() == 1


def test_a_release_that_lost_its_data_has_other_collections(way: Way, pool: Pool) -> None:
    with scenario(way, pool) as database:
        before = database.reuse(records=samples.records(1))
    http.ask(way, "DELETE", _path(before.database, ""))
    with scenario(way, pool) as database:
        assert database.reuse(records=samples.records(1)).count() == 1


def test_a_scenario_that_only_borrows_makes_no_database_and_the_pool_takes_its_own_along(way: Way) -> None:
    there = databases(way)
    with Pool(partial(Database, There(way), "0000aaaa")) as pool:
        with scenario(way, pool) as database:
            lent = database.reuse()
            assert databases(way) == {*there, lent.database}
            assert database.name in databases(way)
        assert databases(way) == {*there, lent.database}
    assert databases(way) == there


def _path(database: str, tail: str) -> str:
    return f"/api/v2/tenants/default_tenant/databases/{database}{tail}"
