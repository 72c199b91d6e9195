"""What is done before each start of Chroma, while nothing else has its data open (manifests/images/keep.py)."""

from __future__ import annotations

import json
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from support.persistence.database import DATABASE, DamagedError

if TYPE_CHECKING:
    from collections.abc import Collection

    from support.persistence.keeper import Awaited
    from support.persistence.mend import Mended, Volume

# Where the kubelet takes a container's message from, and how many bytes of it Kubernetes keeps.
_MESSAGE: Final = Path("/dev/termination-log")
_MESSAGE_SIZE: Final = 4096
# How many ids of lost records a sentence names.
_NAMED: Final = 10


def look(data: str, accepted: Collection[str] = (), message: Path = _MESSAGE) -> list[Awaited] | None:
    """Look at a volume, mend what can be mended, and say what was found; return what has to answer before users are let in.

    None: Chroma must not start.

    Standard output gets a line of JSON for each collection, and one with the sum of them. An empty volume gets its
    database. Where the database is damaged, or vectors are lost of a collection that is not named in `accepted`, a sentence
    says so and what to do, in `message` as well.
    """
    # The first process of a container has no default for it. What was not finished is taken back.
    signal.signal(signal.SIGTERM, _end)
    began = time.monotonic()
    try:
        volume = _volume(Path(data), accepted)
    except DamagedError as error:
        _refused(f"the database is damaged ({error}): restore a backup", message)
        return None
    for one in volume.collections if volume else ():
        _say(json.dumps(one.described()))
    if volume and volume.lost:
        _refused("; ".join(map(_lost, volume.lost)), message)
        return None
    _say(json.dumps({**_summed(volume), "seconds": round(time.monotonic() - began, 3)}))
    return [one.awaited for one in volume.collections] if volume else []


def _volume(data: Path, accepted: Collection[str]) -> Volume | None:
    """Return what was found on a volume; None where it was empty, and has a database now."""
    # With NumPy it takes time, which an empty volume need not wait for.
    if (data / DATABASE).exists():
        from support.persistence.mend import mend  # noqa: PLC0415 - see above

        return mend(data, accepted)
    from support.persistence.empty import make  # noqa: PLC0415 - Chroma's library takes time as well

    make(data)
    return None


def _summed(volume: Volume | None) -> dict[str, Any]:
    """Return what was found and done in numbers; what did not happen is not named."""
    found = volume.collections if volume else ()
    counts = {
        "rebuilt": sum(one.rebuilt for one in found),
        "given_up": sum(len(one.lost) for one in found),
        "put_back": sum(one.put_back for one in found),
        "trimmed": sum(one.trimmed for one in found),
        "removed": len(volume.removed) if volume else 0,
    }
    return {
        "collections": len(found),
        "records": sum(len(one.examined.records) for one in found),
        **{name: count for name, count in counts.items() if count},
    }


def _lost(one: Mended) -> str:
    of, names = one.examined.collection, ", ".join(one.lost[:_NAMED])
    more = f" and {len(one.lost) - _NAMED} more" if len(one.lost) > _NAMED else ""
    return (
        f'collection "{of.name}" ({of.tenant}/{of.database}): its index is torn, and the vectors of {len(one.lost)} of '
        f"{len(one.examined.records)} records are nowhere: {names}{more}; restore a backup, or give these records up: "
        f"--set chroma.environment.ACCEPT_LOSS_OF={of.name}"
    )


def _refused(said: str, message: Path) -> None:
    _say(said)
    with suppress(OSError):  # there is none outside a pod
        message.write_bytes(said.encode()[:_MESSAGE_SIZE])


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _end(*_: object) -> NoReturn:
    sys.exit(128 + signal.SIGTERM)
