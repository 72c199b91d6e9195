"""Mounts by system call: a boot makes some forty, and a process for each would cost it 0.1 s."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)

_MS_BIND = 0x1000
_MS_REC = 0x4000
_MS_SHARED = 1 << 20
_MNT_DETACH = 2
_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000
_MOUNT_ATTR_RDONLY = 1
_SYS_MOUNT_SETATTR = 442  # the same on every architecture


class _MountAttr(ctypes.Structure):
    _fields_ = (
        ("attr_set", ctypes.c_uint64),
        ("attr_clr", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns_fd", ctypes.c_uint64),
    )


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def mount(source: str | Path, target: Path, kind: str, options: str = "") -> None:
    """Mount a new file system, for instance a tmpfs; raises OSError."""
    result = _libc.mount(
        os.fsencode(source), os.fsencode(target), kind.encode(), ctypes.c_ulong(0), options.encode()
    )
    _check(result, f"mount {kind} on {target}")


def bind(source: Path, target: Path) -> None:
    """Show a file or directory, with all that is mounted below it, at a second place; raises OSError."""
    result = _libc.mount(
        os.fsencode(source), os.fsencode(target), None, ctypes.c_ulong(_MS_BIND | _MS_REC), None
    )
    _check(result, f"bind {source} to {target}")


def share_all() -> None:
    """Let mounts below / propagate to pods that ask for it, as a kubelet expects; raises OSError."""
    result = _libc.mount(None, b"/", None, ctypes.c_ulong(_MS_SHARED | _MS_REC), None)
    _check(result, "make / shared")


def set_read_only(target: Path, read_only: bool) -> None:
    """Forbid or allow writes through a mount and all mounts below it; needs Linux 5.12; raises OSError."""
    flag = _MOUNT_ATTR_RDONLY
    attributes = _MountAttr(attr_set=flag if read_only else 0, attr_clr=0 if read_only else flag)
    result = _libc.syscall(
        ctypes.c_long(_SYS_MOUNT_SETATTR),
        ctypes.c_int(_AT_FDCWD),
        os.fsencode(target),
        ctypes.c_uint(_AT_RECURSIVE),
        ctypes.byref(attributes),
        ctypes.c_size_t(ctypes.sizeof(attributes)),
    )
    _check(result, f"make {target} {'read-only' if read_only else 'writable'}")


def unmount(target: Path, *, lazily: bool = False) -> None:
    """Take a mount away; lazily: even while it is in use; raises OSError."""
    _check(_libc.umount2(os.fsencode(target), _MNT_DETACH if lazily else 0), f"unmount {target}")


def below(directory: Path, mountinfo: Path = Path("/proc/self/mountinfo")) -> list[Path]:
    """Mount points at or below a directory in this mount namespace, deepest first."""
    points = (Path(line.split()[4].replace("\\040", " ")) for line in mountinfo.read_text().splitlines())
    return sorted((p for p in points if p.is_relative_to(directory)), key=lambda p: -len(p.parts))
