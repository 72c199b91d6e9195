"""Looks whether this machine can run a cluster, before anything is touched."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import shutil
import subprocess
from pathlib import Path

from cluster.build.packages import SYSTEM_PATH
from cluster.errors import ClusterError
from cluster.host import cgroups

# A booted cluster writes some 100 MB; pulled images and claims come on top.
_NEEDED_BYTES = 1 << 30
# What one cluster holds of a number that the kernel gives each user (128 on many machines): 16 were counted.
_NEEDED_WATCHERS = 20
_MACHINES = ("x86_64", "aarch64")
_FILE_SYSTEMS = ("overlay", "xfs")
# Numbers of the capabilities without which nothing starts.
_CAPABILITIES = {"CAP_NET_ADMIN": 12, "CAP_SYS_ADMIN": 21}
# One rule of each kind that kube-proxy and the policy enforcer make, in a network namespace that ends
# with the command. What the kernel has as modules is loaded by that.
_PACKET_FILTERS = {
    "nftables": "nft add table ip probe",
    "ip sets": "ipset create probe hash:ip",
    "iptables": "iptables -A INPUT -m comment --comment probe -m conntrack --ctstate NEW -j ACCEPT",
    "bridges": "ip link add probe type bridge",
    "virtual Ethernet": "ip link add probe0 type veth peer name probe1",
}


def check_rights() -> None:
    """Raise ClusterError unless this process may make a cluster; needs no package."""
    advice = "or name a cluster by --kubeconfig"
    if platform.system() != "Linux" or platform.machine() not in _MACHINES:
        raise ClusterError(
            f"the embedded cluster runs on Linux on {' or '.join(_MACHINES)}: use such a machine, {advice}"
        )
    if os.geteuid() != 0:
        raise ClusterError(
            f"the embedded cluster needs root, for namespaces and mounts: run as root, {advice}"
        )
    held = int(_status("CapEff") or "0", 16)
    lacking = [name for name, number in _CAPABILITIES.items() if not held >> number & 1]
    if lacking:
        raise ClusterError(
            f"the embedded cluster needs {' and '.join(lacking)}, which this root lacks: run it in a privileged "
            f"container or on the machine itself, {advice}"
        )


def check_machine(directory: Path) -> None:
    """Raise one ClusterError that names all that the kernel lacks, or what is used up: inotify instances or the disk.

    `directory` is an existing one on the file system that is to hold the cluster.
    """
    lacking = _lacking_features()
    if lacking:
        raise ClusterError(
            f"this kernel ({platform.release()}) lacks what the embedded cluster needs: {', '.join(lacking)}. "
            "Use another kernel, load the modules, or name a cluster by --kubeconfig"
        )
    if (watchers := _free_watchers()) < _NEEDED_WATCHERS:
        raise ClusterError(
            f"the inotify instances of this user are used up: a cluster needs {_NEEDED_WATCHERS}, and {watchers} are free. "
            "Raise the limit (sysctl -w fs.inotify.max_user_instances=1024), or end what holds them"
        )
    free = shutil.disk_usage(directory).free
    if free < _NEEDED_BYTES:
        raise ClusterError(
            f"the disk is full: a cluster needs {_NEEDED_BYTES / 1e9:.1f} GB, and the file system of {directory} has "
            f"{free / 1e9:.1f} GB free. Make room, or set XDG_CACHE_HOME to a larger file system"
        )


def _free_watchers() -> int:
    """Count the inotify instances that can be made, up to those that a cluster needs.

    What a program of the cluster says when it gets none is "too many open files", which blames another limit.
    """
    made: list[int] = []
    try:
        while len(made) < _NEEDED_WATCHERS:
            made.append(_watcher())
    except OSError as error:
        # Any other error is no statement on this limit.
        return len(made) if error.errno == errno.EMFILE else _NEEDED_WATCHERS
    finally:
        for descriptor in made:
            os.close(descriptor)
    return _NEEDED_WATCHERS


def _watcher() -> int:
    """Make an inotify instance, for which Python has no function."""
    libc = ctypes.CDLL(None, use_errno=True)
    if (descriptor := int(libc.inotify_init1(os.O_CLOEXEC))) < 0:
        raise OSError(ctypes.get_errno(), "inotify_init1")
    return descriptor


def _lacking_features() -> list[str]:
    lacking = [
        f"{name} namespaces"
        for name in ("net", "mnt", "pid", "uts", "ipc")
        if not Path(f"/proc/self/ns/{name}").exists()
    ]
    known = {line.split()[-1] for line in Path("/proc/filesystems").read_text().splitlines()}
    lacking += [f"the file system {name}" for name in _FILE_SYSTEMS if name not in known and not _loads(name)]
    if not Path("/dev/loop-control").exists() and not _loads("loop"):
        lacking.append("loop devices")
    lacking += [f"the control group controller {name}" for name in cgroups.missing()]
    if _status("Seccomp_filters") is None:
        lacking.append("system call filters (seccomp)")
    return lacking + _lacking_packet_filters()


def _lacking_packet_filters() -> list[str]:
    # All at once, since each process costs milliseconds of every boot: names go to stdout where one fails.
    script = "\n".join(
        f"{command} >/dev/null 2>&1 || echo {name!r}" for name, command in _PACKET_FILTERS.items()
    )
    done = subprocess.run(
        ["unshare", "--net", "sh", "-c", script],
        env={"PATH": SYSTEM_PATH},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.splitlines() if done.returncode == 0 else [done.stderr.strip()]


def _loads(module: str) -> bool:
    """Load a module of the kernel; what uses it would do the same."""
    modprobe = shutil.which("modprobe", path=SYSTEM_PATH)
    return modprobe is not None and subprocess.run([modprobe, "-q", module], check=False).returncode == 0


def _status(field: str) -> str | None:
    for line in Path("/proc/self/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return value.strip()
    return None
