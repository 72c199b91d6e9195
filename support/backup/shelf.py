"""A directory of backups of one release, each named after the moment of its making: the newest is restored, the oldest go."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from support.backup.archive import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MOMENT: Final = "%Y%m%dT%H%M%SZ"
_LIKE_A_MOMENT: Final = r"\d{8}T\d{6}Z"
# A draft that nobody has touched for so long belongs to a backup that was killed.
_ABANDONED: Final = dt.timedelta(days=1)


@dataclass(frozen=True)
class Shelf:
    """The backups of the release in a namespace that lie in a directory; what else lies there is not touched."""

    directory: Path
    namespace: str

    def place(self, now: dt.datetime) -> Path:
        """Return the file of a backup that is made now, in UTC."""
        return self.directory / f"{self.namespace}-{now.astimezone(dt.UTC).strftime(_MOMENT)}.tar"

    def newest(self) -> Path:
        """Return the newest backup; raises an `ArchiveError` where there is none, or the directory cannot be read."""
        if not (there := self._backups()):
            raise ArchiveError(
                f"{self.directory} holds no backup of namespace {self.namespace} ({self.namespace}-YYYYMMDDThhmmssZ.tar): "
                "name the file that is to be restored"
            )
        return there[-1]

    def keep(self, count: int, now: dt.datetime) -> list[Path]:
        """Remove all backups but so many of the newest, and what killed ones have left; return what was removed.

        Raises an `ArchiveError` where something cannot be removed.
        """
        going = [*self._backups()[:-count], *self._abandoned(now)]
        try:
            for one in going:
                one.unlink(missing_ok=True)
        except OSError as error:
            raise ArchiveError(f"{error.filename} cannot be removed: {error.strerror}") from error
        return going

    def _backups(self) -> list[Path]:
        """Return those that are whole, the oldest first; a name is given to nothing else."""
        return sorted(self._named(rf"{re.escape(self.namespace)}-{_LIKE_A_MOMENT}\.tar"))

    def _abandoned(self, now: dt.datetime) -> Iterator[Path]:
        for one in self._named(rf"\.{re.escape(self.namespace)}-{_LIKE_A_MOMENT}\.tar\..+"):
            if now - dt.datetime.fromtimestamp(one.stat().st_mtime, dt.UTC) > _ABANDONED:
                yield one

    def _named(self, pattern: str) -> list[Path]:
        try:
            return [
                one for one in self.directory.iterdir() if re.fullmatch(pattern, one.name) and one.is_file()
            ]
        except OSError as error:
            raise ArchiveError(f"{self.directory} cannot be read: {error.strerror}") from error
