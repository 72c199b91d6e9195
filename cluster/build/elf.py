"""Reads from an ELF file what it needs to run: its loader, and the shared libraries that it names."""

from __future__ import annotations

import io
import posixpath
from dataclasses import dataclass

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.segments import InterpSegment

from cluster.errors import ClusterError

MAGIC = b"\x7fELF"


class BrokenElf(ClusterError):  # noqa: N818 - names the fact, as the message does
    """A file begins like an ELF file and is none."""


@dataclass(frozen=True, slots=True)
class Elf:
    """What the header of a program or shared library says.

    `needed` are the libraries as it names them: a name that is searched for, or a path; `search` are the directories in
    which it wants them looked for first. Both may begin with $ORIGIN, the directory of the file itself.
    """

    machine: str
    bits: int
    interpreter: str | None
    needed: tuple[str, ...]
    search: tuple[str, ...]

    @classmethod
    def read(cls, data: bytes) -> Elf | None:
        """Read the header; None for what is no ELF file. Raises BrokenElf."""
        if not data.startswith(MAGIC):
            return None
        try:
            return cls._read(ELFFile(io.BytesIO(data)))
        # What pyelftools raises for a file cut short depends on where that ends.
        except (ELFError, ValueError, KeyError, TypeError, AttributeError, IndexError, OSError) as error:
            raise BrokenElf(f"not a whole ELF file ({type(error).__name__}: {error})") from None

    @classmethod
    def _read(cls, file: ELFFile) -> Elf:
        interpreter, needed, search = None, [], []
        # By the segments, as the loader does: a stripped file may have no sections.
        for segment in file.iter_segments():
            if isinstance(segment, InterpSegment):
                interpreter = segment.get_interp_name()
            elif isinstance(segment, DynamicSegment):
                for tag in segment.iter_tags():
                    # Which attribute a tag has is decided by its kind.
                    if tag.entry.d_tag == "DT_NEEDED":
                        needed.append(tag.needed)  # type: ignore[attr-defined]  # see above
                    elif tag.entry.d_tag == "DT_RPATH":
                        search += tag.rpath.split(":")  # type: ignore[attr-defined]  # see above
                    elif tag.entry.d_tag == "DT_RUNPATH":
                        search += tag.runpath.split(":")  # type: ignore[attr-defined]  # see above
        return cls(
            file.header.e_machine,
            file.elfclass,
            interpreter,
            tuple(needed),
            tuple(one for one in search if one),
        )

    def like(self, other: Elf) -> bool:
        """Whether both are for the same kind of machine."""
        return (self.machine, self.bits) == (other.machine, other.bits)


def stripped(data: bytes) -> bytes:
    """Return a program or library without what no loader reads: its sections, with symbols and debugging information.

    A loader reads segments, which come first. Other data is returned as it is. Raises BrokenElf.
    """
    if Elf.read(data) is None:
        return data
    file = ELFFile(io.BytesIO(data))
    header = file.header
    end = max(
        header.e_phoff + header.e_phnum * header.e_phentsize,
        *(segment["p_offset"] + segment["p_filesz"] for segment in file.iter_segments()),
    )
    header.e_shoff = header.e_shnum = header.e_shstrndx = 0
    return bytes(file.structs.Elf_Ehdr.build(header)) + data[header.e_ehsize : end]


def expand(path: str, origin: str) -> str:
    """Give a path as an ELF file in the directory `origin` means it."""
    for spelling in ("$ORIGIN", "${ORIGIN}"):
        path = path.replace(spelling, origin)
    return posixpath.normpath(path)
