"""Makes the database of an empty volume, as Chroma would at its first start: so the log is kept from the first write on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chromadb_rust_bindings import Bindings, MigrationHash, MigrationMode, SqliteDBConfig

from support.persistence.database import DATABASE, Database

if TYPE_CHECKING:
    from pathlib import Path


def make(data: Path) -> None:
    """Make the database in a directory that has none."""
    config = SqliteDBConfig(
        hash_type=MigrationHash.MD5, migration_mode=MigrationMode.Apply, url=str(data / DATABASE)
    )
    Bindings(allow_reset=False, sqlite_db_config=config, persist_path=str(data), hnsw_cache_size=1)
    with Database.open(data, write=True) as database:
        database.keep_log()
        database.forget_lists()
