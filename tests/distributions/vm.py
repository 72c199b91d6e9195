"""A root tree as a virtual machine with its own kernel and systemd, under emulation, which any machine can do."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    from tests.distributions.tree import Tree

PACKAGES: Final = "linux-image-amd64 systemd-sysv initramfs-tools kmod dbus apparmor iproute2"
"""What makes a machine of the tree."""
_SIZE: Final = "14G"  # sparse
_MEMORY: Final = "8192"  # MiB
_CORES: Final = "2"
# A busy machine emulates a timer too late for the kernel's check of it, which would end in a panic.
_KERNEL: Final = "root=/dev/vda rw console=ttyS0 panic=-1 no_timer_check systemd.show_status=0"
_UNIT: Final = """\
[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/try-it
ExecStopPost=/usr/bin/systemctl poweroff --no-block
StandardOutput=file:/dev/ttyS1
StandardError=file:/dev/ttyS1
TimeoutStartSec=infinity
[Install]
WantedBy=default.target
"""


def boot(tree: Tree, script: str, log: Path, patience: float, options: str = "") -> bool:
    """Boot the tree, run a bash script in it as root, and end it; what it says goes to the log while it runs.

    `options` are further ones for its kernel. False where the machine had to be ended after `patience` seconds. There is no network in it.
    """
    _install(tree, script)
    image = tree.root.with_suffix(".img")
    image.unlink(missing_ok=True)
    subprocess.run(["truncate", "-s", _SIZE, str(image)], check=True)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-d", str(tree.root), str(image)], check=True)
    (kernel,) = sorted((tree.root / "boot").glob("vmlinuz-*"))[-1:]
    (initrd,) = sorted((tree.root / "boot").glob("initrd.img-*"))[-1:]
    command = [
        "qemu-system-x86_64",
        "-accel",
        "tcg,thread=multi",
        "-cpu",
        "max",
        "-smp",
        _CORES,
        "-m",
        _MEMORY,
    ]
    command += [
        "-display",
        "none",
        "-no-reboot",
        "-nic",
        "none",
        "-kernel",
        str(kernel),
        "-initrd",
        str(initrd),
    ]
    command += ["-append", f"{_KERNEL} {options}"]
    command += ["-drive", f"file={image},if=virtio,format=raw,cache=unsafe"]
    command += ["-serial", f"file:{log.with_suffix('.console')}", "-serial", f"file:{log}"]
    try:
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=patience)
    except subprocess.TimeoutExpired:
        return False
    finally:
        image.unlink()
    return True


def _install(tree: Tree, script: str) -> None:
    program = tree.root / "usr/local/sbin/try-it"
    program.write_text(f"#!/bin/bash\n{script}")
    program.chmod(0o755)
    (tree.root / "etc/fstab").write_text("/dev/vda / ext4 defaults 0 1\n")
    (tree.root / "etc/hostname").write_text(f"{tree.suite}\n")
    # No name is looked up there; an ordinary machine has a link into /run, to systemd-resolved's stub.
    resolver = tree.root / "etc/resolv.conf"
    resolver.unlink(missing_ok=True)
    resolver.symlink_to("../run/systemd/resolve/stub-resolv.conf")
    unit = tree.root / "etc/systemd/system/try-it.service"
    unit.write_text(_UNIT)
    wanted = unit.parent / "default.target.wants" / unit.name
    wanted.parent.mkdir(parents=True, exist_ok=True)
    if not wanted.is_symlink():
        wanted.symlink_to(unit)
