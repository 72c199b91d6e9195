"""Volumes of a real capacity: a sparse file with a file system of its own, mounted through a loop device."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from cluster.host import mounts

if TYPE_CHECKING:
    from pathlib import Path

_MIB = 1 << 20
# mkfs.xfs makes nothing smaller.
_SMALLEST = 300 * _MIB
# What XFS keeps of a device for itself: its log, of a fixed size here, and under 2 % of the rest.
_LOG = 64 * _MIB
_RESERVE = 32 * _MIB
_SHARE = 0.02
_DATA = "data"
_BALLAST = "ballast"


class VolumeError(Exception):
    """A volume cannot be made, grown or removed; the text says what the tool said."""


class Volumes:
    """The volumes below one directory, each `NAME.img` mounted on `NAME`.

    XFS, because it grows while it is mounted; ext4 does so only with CAP_SYS_RESOURCE. Since a file system
    takes some of its device for itself, the device is a little larger than the volume, and a file without
    content takes what is too much: what a pod can write is the volume's size to within some kilobytes.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def make(self, name: str, size: int) -> Path:
        """Make a volume of `size` bytes and give the directory to which a pod may write; raises VolumeError.

        A half-made one of the same name, from an attempt that failed, is replaced.
        """
        self.remove(name)
        image, top = self._image(name), self._directory / name
        top.mkdir(parents=True)
        with image.open("wb") as file:
            file.truncate(_device(size))
        _run("mkfs.xfs", "-q", "-d", "agcount=4", "-l", f"size={_LOG}", str(image))
        _run("mount", "-o", "loop", str(image), str(top))
        _weigh(top, _free(top) - size)
        data = top / _DATA
        data.mkdir()
        data.chmod(0o777)  # as a hostPath directory of the platform; fsGroup is honoured on top
        return data

    def grow(self, name: str, old: int, new: int) -> None:
        """Grow a mounted volume from `old` to `new` bytes, in use or not; raises VolumeError."""
        image, top = self._image(name), self._directory / name
        free = _free(top)
        device = max(_device(new), image.stat().st_size)
        os.truncate(image, device)
        loop = _run("losetup", "--noheadings", "--output", "NAME", "--associated", str(image)).strip()
        _run("losetup", "--set-capacity", loop)
        _run("xfs_growfs", str(top))
        _weigh(top, (top / _BALLAST).stat().st_size + (_free(top) - free) - (new - old))

    def remove(self, name: str) -> None:
        """Remove a volume with its data, if there is one; raises VolumeError."""
        image, top = self._image(name), self._directory / name
        try:
            for point in mounts.below(top):
                mounts.unmount(point)
            image.unlink(missing_ok=True)
            if top.exists():
                top.rmdir()
        except OSError as error:
            raise VolumeError(f"{name} cannot be removed: {error}") from error

    def _image(self, name: str) -> Path:
        return self._directory / f"{name}.img"


def _device(size: int) -> int:
    return max(_SMALLEST, int(size * (1 + _SHARE)) + _LOG + _RESERVE)


def _free(top: Path) -> int:
    facts = os.statvfs(top)
    return facts.f_bavail * facts.f_frsize


def _weigh(top: Path, size: int) -> None:
    """Let the ballast take `size` bytes of the file system, and none of the machine's disk."""
    with (top / _BALLAST).open("ab") as ballast:
        held = ballast.tell()
        if size > held:
            os.posix_fallocate(ballast.fileno(), held, size - held)
        else:
            ballast.truncate(max(size, 0))


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise VolumeError(f"{command[0]}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
