"""Chroma's database: which collections there are, the ids of their records, and the log of what was written.

The tables are those of Chroma's migrations up to 1.5.9; their meaning is that of `sqlite_log.rs` and `sqlite_metadata.rs`.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import groupby, islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from support.core.errors import SuiteError
from support.persistence.replay import Entry, Operation

if TYPE_CHECKING:
    from collections.abc import Collection as Collection_
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

DATABASE: Final = "chroma.sqlite3"
# The key under which a document stands among the metadata.
_DOCUMENT: Final = "chroma:document"
# Row 1 of `embeddings_queue_config`, read by Chroma before each purge of its log.
_KEPT: Final = {"automatically_purge": False, "_type": "EmbeddingsQueueConfigurationInternal"}


class DamagedError(SuiteError):
    """A database that SQLite itself calls damaged; the text says how."""


class NoRoomError(SuiteError):
    """The log has fewer purged places than vectors are to be put back; nothing was written."""


@dataclass(frozen=True)
class Collection:
    """A collection, with the segments that hold its vectors and its documents and metadata."""

    id: str
    name: str
    database: str
    tenant: str
    dimension: int | None  # None while it never had a vector
    vector_segment: str
    metadata_segment: str


class Database:
    """An open database; nothing else may have it open."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    @contextmanager
    def open(cls, data: Path, *, write: bool = False) -> Iterator[Database]:
        """Lend the database of a directory; what was written is kept if the `with` block ends well, and else taken back.

        Raises `DamagedError` where SQLite finds it damaged.
        """
        mode = "rw" if write else "ro"
        connection = sqlite3.connect(f"{(data / DATABASE).absolute().as_uri()}?mode={mode}", uri=True)
        with closing(connection):
            try:
                # Not its quick sister: that one passes an index that has lost entries.
                said = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(5)")]
                if said != ["ok"]:
                    raise DamagedError("; ".join(said))
                with connection:
                    yield cls(connection)
            except sqlite3.DatabaseError as error:
                raise DamagedError(str(error)) from error

    def collections(self) -> list[Collection]:
        """Return all collections, in the order of their tenants, databases and names."""
        rows = self._connection.execute(
            "SELECT c.id, c.name, d.name, d.tenant_id, c.dimension, v.id, m.id FROM collections c"
            " JOIN databases d ON d.id = c.database_id"
            " JOIN segments v ON v.collection = c.id AND v.scope = 'VECTOR'"
            " JOIN segments m ON m.collection = c.id AND m.scope = 'METADATA'"
            " ORDER BY d.tenant_id, d.name, c.name"
        )
        return [Collection(*row) for row in rows]

    def ids(self, collection: Collection) -> list[str]:
        """Return the ids of the records whose documents and metadata are stored, in the order in which they were added."""
        rows = self._connection.execute(
            "SELECT embedding_id FROM embeddings WHERE segment_id = ? ORDER BY id",
            (collection.metadata_segment,),
        )
        return [str(row[0]) for row in rows]

    def reached(self, segment: str) -> int:
        """Return the last entry of the log that a segment has taken over; 0 where there is none."""
        row = self._connection.execute(
            "SELECT seq_id FROM max_seq_id WHERE segment_id = ?", (segment,)
        ).fetchone()
        # 0.5 wrote eight bytes, the highest first.
        return (
            0 if row is None else int.from_bytes(row[0], "big") if isinstance(row[0], bytes) else int(row[0])
        )

    def log(self) -> Mapping[str, list[Entry]]:
        """Return what the log holds of each collection, by its id, in the order in which it was written."""
        entries: dict[str, list[Entry]] = defaultdict(list)
        rows = self._connection.execute(
            "SELECT topic, seq_id, operation, id, vector IS NOT NULL FROM embeddings_queue ORDER BY seq_id"
        )
        for topic, seq_id, operation, one, vector in rows:
            entries[topic.rpartition("/")[2]].append(Entry(seq_id, Operation(operation), one, bool(vector)))
        return entries

    @property
    def keeps_log(self) -> bool:
        """Whether Chroma leaves in the log what it has taken over."""
        row = self._connection.execute(
            "SELECT config_json_str FROM embeddings_queue_config WHERE id = 1"
        ).fetchone()
        return row is not None and json.loads(row[0]).get("automatically_purge") is False

    def keep_log(self) -> None:
        """Let Chroma keep its log from now on."""
        self._connection.execute(
            "INSERT INTO embeddings_queue_config (id, config_json_str) VALUES (1, ?)"
            " ON CONFLICT (id) DO UPDATE SET config_json_str = excluded.config_json_str",
            (json.dumps(_KEPT, separators=(",", ":")),),
        )

    def forget_lists(self) -> None:
        """Remove the values of lists that deleted collections have left, and see to it that none are left from now on.

        Chroma leaves them there, and the next record that gets the number of theirs has them: in whichever collection and
        tenant that is (docs/chroma.md).
        """
        there = {str(row[0]) for row in self._connection.execute("SELECT name FROM sqlite_master")}
        # Older versions have no lists.
        if "embedding_metadata_array" in there and "chroma_conformance_forgets_lists" not in there:
            self._connection.execute(
                "DELETE FROM embedding_metadata_array WHERE id NOT IN (SELECT id FROM embeddings)"
            )
            self._connection.execute(
                "CREATE TRIGGER chroma_conformance_forgets_lists AFTER DELETE ON embeddings"
                " BEGIN DELETE FROM embedding_metadata_array WHERE id = OLD.id; END"
            )

    def trim(self, collection: Collection, through: int, kept: Collection_[int]) -> int:
        """Remove from the log what it has of a collection up to an entry, but some; return how many entries went.

        What is kept puts its vector in the place of whatever was there, since nothing before it is left.
        """
        topic, _ = self._topic(collection)
        execute = self._connection.execute
        execute("CREATE TEMP TABLE kept (seq_id INTEGER PRIMARY KEY)")
        self._connection.executemany("INSERT INTO kept VALUES (?)", ((one,) for one in kept))
        removed = execute(
            "DELETE FROM embeddings_queue WHERE topic = ? AND seq_id <= ? AND seq_id NOT IN (SELECT seq_id FROM kept)",
            (topic, through),
        ).rowcount
        execute(
            "UPDATE embeddings_queue SET operation = ? WHERE seq_id IN (SELECT seq_id FROM kept)",
            (int(Operation.UPSERT),),
        )
        execute("DROP TABLE kept")
        return removed

    def segments(self) -> frozenset[str]:
        """Return the ids of all segments."""
        return frozenset(str(row[0]) for row in self._connection.execute("SELECT id FROM segments"))

    def metric(self, collection: Collection) -> str:
        """Return by what the index of a collection measures: l2, cosine or ip."""
        row = self._connection.execute("SELECT * FROM collections WHERE id = ?", (collection.id,))
        fields = dict(zip((one[0] for one in row.description), row.fetchone(), strict=True))
        for text in (fields.get("schema_str"), fields.get("config_json_str")):
            if text and (space := _sought(json.loads(text), "space", within="#embedding")):
                return space
        stated = self._connection.execute(
            "SELECT str_value FROM collection_metadata WHERE collection_id = ? AND key = 'hnsw:space'",
            (collection.id,),
        ).fetchone()
        return str(stated[0]) if stated else "l2"

    def deletes(self, collection: Collection) -> bool:
        """Whether the log has a deletion that the index of a collection has not taken over."""
        return (
            self._connection.execute(
                "SELECT 1 FROM embeddings_queue WHERE topic LIKE ? AND operation = ? AND seq_id > ?",
                (f"%/{collection.id}", int(Operation.DELETE), self.reached(collection.vector_segment)),
            ).fetchone()
            is not None
        )

    def commit(self) -> None:
        """Keep what was written so far, also through a loss of power."""
        self._connection.commit()

    def replay(self, collection: Collection) -> None:
        """Let Chroma build the index of a collection from the whole log at its next request."""
        self._connection.execute("DELETE FROM max_seq_id WHERE segment_id = ?", (collection.vector_segment,))

    def put_back(self, collection: Collection, vectors: Mapping[str, bytes]) -> list[Entry]:
        """Write vectors (float32, little-endian) into the log, before all that it has of a collection; return the entries.

        They stand at places that Chroma has purged: no entry of another collection moves. The highest are taken first, so
        that as many are left for another collection as were purged of its own.
        Raises `NoRoomError`.
        """
        if not vectors:
            return []
        topic, first = self._topic(collection)
        places = list(islice(self._free(first), len(vectors)))
        if len(places) < len(vectors):
            raise NoRoomError(f"the log has no room before entry {first}")
        entries = [
            Entry(place, Operation.UPSERT, one, vector=True)
            for place, one in zip(places, vectors, strict=True)
        ]
        self._connection.executemany(
            "INSERT INTO embeddings_queue (seq_id, operation, topic, id, vector, encoding, metadata)"
            " VALUES (?, ?, ?, ?, ?, 'FLOAT32', '{}')",
            ((one.seq_id, int(one.operation), topic, one.id, vectors[one.id]) for one in entries),
        )
        return sorted(entries)

    def delete(self, collection: Collection, ids: Iterable[str]) -> None:
        """Write into the log that records are deleted, after all that is in it."""
        topic, _ = self._topic(collection)
        last = self._connection.execute(
            "SELECT max(seq_id) FROM (SELECT seq_id FROM embeddings_queue UNION ALL SELECT seq_id FROM max_seq_id)"
        ).fetchone()[0]
        self._connection.executemany(
            "INSERT INTO embeddings_queue (seq_id, operation, topic, id) VALUES (?, ?, ?, ?)",
            ((last + number, int(Operation.DELETE), topic, one) for number, one in enumerate(ids, 1)),
        )

    def documents(self, collection: Collection, ids: Collection_[str]) -> Iterator[dict[str, Any]]:
        """Yield the id, the document and the metadata of some records; values of lists are not among them."""
        rows = self._connection.execute(
            "SELECT e.embedding_id, m.key, m.string_value, m.int_value, m.float_value, m.bool_value FROM embeddings e"
            " LEFT JOIN embedding_metadata m ON m.id = e.id WHERE e.segment_id = ? ORDER BY e.id",
            (collection.metadata_segment,),
        )
        for one, entries in groupby((row for row in rows if row[0] in ids), key=itemgetter(0)):
            fields = {key: _value(*values) for _, key, *values in entries if key}
            yield {"id": one, "document": fields.pop(_DOCUMENT, None), "metadata": fields}

    def _free(self, first: int) -> Iterator[int]:
        """Yield the free places before an entry of the log, the highest first."""
        rows = self._connection.execute(
            "SELECT seq_id FROM embeddings_queue WHERE seq_id < ? ORDER BY seq_id DESC", (first,)
        )
        upper = first
        for taken in [*(int(row[0]) for row in rows.fetchall()), 0]:
            yield from range(upper - 1, taken, -1)
            upper = taken

    def _topic(self, collection: Collection) -> tuple[str, int]:
        """Return how the log calls a collection, and the place of its first entry, or of the first after all of them."""
        row = self._connection.execute(
            "SELECT topic, min(seq_id) FROM embeddings_queue WHERE topic LIKE ? GROUP BY topic",
            (f"%/{collection.id}",),
        ).fetchone()
        if row:
            return str(row[0]), int(row[1])
        # As Chroma 1.5.9 writes it, whatever the tenant and the database.
        return f"persistent://default/default/{collection.id}", self.reached(collection.metadata_segment) + 1


def _value(text: str | None, integer: int | None, real: float | None, truth: int | None) -> Any:
    return (
        bool(truth)
        if truth is not None
        else next((one for one in (text, integer, real) if one is not None), None)
    )


def _sought(config: Any, key: str, within: str) -> str:
    """Return a value from nested dictionaries: that below a part of the configuration if it has one, else the first."""
    if not isinstance(config, dict):
        return ""
    if isinstance(config.get(key), str):
        return str(config[key])
    parts = sorted(config.items(), key=lambda item: item[0] not in {within, "keys"})
    return next(filter(None, (_sought(part, key, within) for _, part in parts)), "")
