"""Makes fresh namespaces into a machine of their own: nothing leads out, and the host's files are safe."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from cluster import layout
from cluster.errors import ClusterError
from cluster.host import mounts

if TYPE_CHECKING:
    from cluster.layout import Layout

UNSHARE = (
    *("unshare", "--net", "--mount", "--pid", "--uts", "--ipc"),
    *("--fork", "--kill-child", "--mount-proc", "--propagation", "private"),
)
"""Runs a command as process 1 of fresh namespaces that end with it, and it with its parent.

Not `ip netns exec`: that mounts /sys anew, and the control groups vanish.
"""

# The kubelet writes these, and they are the whole machine's.
_MACHINE_SYSCTLS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}

_SYS = Path("/sys")
_PROC_SYS = Path("/proc/sys")


def seal(files: Layout, store: Path) -> None:
    """Set up the mounts, the network and the name of the node; called once by its process 1.

    Raises ClusterError where the kernel lacks something.
    """
    try:
        _mount_all(files, store)
    except OSError as error:
        raise ClusterError(
            f"the kernel refuses a mount that the embedded cluster needs: {error.strerror}. It needs Linux 5.12 or "
            "newer, and the cache on a file system that can be the upper one of an overlay, such as ext4 or XFS."
        ) from error
    socket.sethostname(layout.NODE)
    _connect()


def _mount_all(files: Layout, store: Path) -> None:
    # Whatever runs here, a pod with a hostPath too: the only files of the host that it can change are
    # in the cache.
    mounts.set_read_only(Path("/"), True)
    mounts.bind(store, store)
    for writable in (store, Path("/proc"), Path("/dev")):
        mounts.set_read_only(writable, False)
    _hide_host_directories(files)
    _own_sys(files)
    _bind_sysctls(files)
    for name in ("resolv.conf", "hosts"):
        _bind_etc(files.configs / name, Path("/etc") / name)
    mounts.share_all()


def _hide_host_directories(files: Layout) -> None:
    for directory in ("/run", "/var/log"):
        mounts.mount("tmpfs", Path(directory), "tmpfs", "mode=0755")
    upper, work = files.run / "varlib", files.run / "varlib.work"
    upper.mkdir()
    work.mkdir()
    mounts.mount("overlay", Path("/var/lib"), "overlay", f"lowerdir=/var/lib,upperdir={upper},workdir={work}")
    kubelet = Path("/var/lib/kubelet")
    kubelet.mkdir(exist_ok=True)
    # The usual place is short: the kubelet's sockets would exceed the 108 characters of a socket's path.
    files.kubelet.mkdir()
    mounts.bind(files.kubelet, kubelet)


def _own_sys(files: Layout) -> None:
    """Mount a sysfs of this network namespace; the host's would show its interfaces."""
    aside = files.run / "sys"
    aside.mkdir()
    mounts.bind(_SYS, aside)
    mounts.mount("sysfs", _SYS, "sysfs")
    groups = _SYS / "fs" / "cgroup"
    mounts.bind(aside / "fs" / "cgroup", groups)
    mounts.set_read_only(groups, False)
    mounts.unmount(aside, lazily=True)
    aside.rmdir()


def _bind_sysctls(files: Layout) -> None:
    """Let the kubelet find what it wants in /proc/sys without changing it for the machine."""
    directory = files.configs / "sysctl"
    directory.mkdir(parents=True)
    for name, value in _MACHINE_SYSCTLS.items():
        if (_PROC_SYS / name).exists():
            own = directory / name.replace("/", ".")
            own.write_text(f"{value}\n")
            mounts.bind(own, _PROC_SYS / name)


def _bind_etc(own: Path, name: Path) -> None:
    # Often a link into /run, where nothing is any more.
    target = name.resolve()
    if target.is_relative_to("/run"):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    mounts.bind(own, target)


def _connect() -> None:
    """Give the network namespace its loopback and the node its address, on a bridge that leads nowhere."""
    commands = [
        "link set lo up",
        "link add kn0 type bridge",  # rather than a dummy, which fewer kernels have
        f"address add {layout.NODE_ADDRESS}/{layout.NODE_PREFIX} dev kn0",
        "link set kn0 up",
        # The node's own connections to a Service need a route before they can be rewritten.
        f"route add {layout.SERVICE_RANGE} dev kn0",
    ]
    done = subprocess.run(
        ["ip", "-batch", "-"], input="\n".join(commands), text=True, capture_output=True, check=False
    )
    if done.returncode != 0:
        raise ClusterError(f"the cluster's network cannot be set up: {done.stderr.strip()}")
    (_PROC_SYS / "net/ipv4/ip_forward").write_text("1")
    filtering = _PROC_SYS / "net/bridge/bridge-nf-call-iptables"
    if filtering.exists():
        filtering.write_text("0")
