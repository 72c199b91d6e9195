"""What a machine lacks or already has is told in one clear message, and nothing is left."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.traces import Traces, named
from cluster.build.cache import default_root
from cluster.host.addresses import listen
from cluster.layout import HTTPS_PORT, Layout
from tests.live.cluster.commands import CHECKOUT, Done, run
from tests.live.cluster.conftest import RECIPES

if TYPE_CHECKING:
    from cluster.provider import Access

NAME = "test-refused"
ROOT = default_root()

# Becomes an ordinary user once all modules are loaded: the checkout may be for root's eyes alone.
AS_NOBODY = """
import os, sys
import cluster.__main__ as command
os.setgroups([]), os.setgid(65534), os.setuid(65534)
sys.argv = ["cluster", "up", "test-refused"]
sys.exit(command.main())
"""


# Listens at all addresses and becomes the command.
LISTENER = """
import os, socket, sys
listener = socket.create_server(("", int(sys.argv[1])))
listener.set_inheritable(True)
os.execv(sys.argv[2], sys.argv[2:])
"""


def refusal(done: Done) -> str:
    """Give the message with which `up` refuses, and look that it is the only one and that nothing is left."""
    assert done.code == 1, f"promised: a refusal; seen: {done}"
    assert (done.stderr.count("error: "), "Traceback" in done.stderr) == (1, False), done
    files = Layout(ROOT.resolve() / "runs" / NAME)
    left = Traces(files, address=None, processes=frozenset(), networks=frozenset()).left()
    assert left == [], f"promised: nothing is left; seen: {left}"
    return done.stderr.partition("error: ")[2]


def free_address() -> str:
    """Give the address that the next cluster would have."""
    address, sockets = listen()
    for one in sockets.values():
        one.close()
    return address


def test_an_ordinary_user_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    said = refusal(Done(done.returncode, done.stdout, done.stderr))
    assert "needs root" in said
    assert "--kubeconfig" in said


def test_missing_programs_are_named_all_at_once() -> None:
    # Neither can be executed any more, and there is no apt-get that could bring them.
    hidden = ("/usr/sbin/ipset", "/usr/sbin/conntrack", "/usr/bin/apt-get")
    said = refusal(run("up", NAME, machine="\n".join(f"mount --bind /dev/null {file}" for file in hidden)))
    assert "  ipset: ipset\n  conntrack: conntrack\n" in said
    assert "install, by the means of this machine: ipset conntrack" in said


def test_a_kernel_without_control_groups_is_named() -> None:
    said = refusal(run("up", NAME, machine="umount --lazy /sys/fs/cgroup"))
    assert "lacks" in said
    assert "the control group controller memory" in said


def test_a_small_disk_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    said = refusal(
        run(
            "up",
            NAME,
            machine=f"mount -t tmpfs -o size=16m tmpfs {tmp_path}",
            environ={"XDG_CACHE_HOME": str(tmp_path)},
        )
    )
    assert "disk" in said
    assert "XDG_CACHE_HOME" in said


def test_a_disk_that_fills_up_during_the_boot_is_told() -> None:
    said = refusal(run("up", NAME, machine=f"mount -t tmpfs -o size=20m tmpfs {ROOT / 'runs'}"))
    assert "No space left on device" in said


def test_a_careful_umask_and_another_language_change_nothing() -> None:
    name = "test-umask"

    done = run("up", name, "--recipes", str(RECIPES), environ={"LANG": "de_DE.UTF-8"}, umask=0o077)

    assert (done.code, run("down", name).code) == (0, 0), f"promised: a cluster; seen: {done}"


def test_a_port_that_is_taken_on_every_address_is_named() -> None:
    # In a network of its own, so that nobody else is disturbed; the listener becomes the command.
    listen = f"set -- {sys.executable} -c '{LISTENER}' {HTTPS_PORT} \"$@\""
    said = refusal(run("up", NAME, machine=f"ip link set lo up\n{listen}"))
    assert f"port {HTTPS_PORT} is taken on every address" in said


def test_an_address_of_which_a_port_is_taken_is_left_to_whom_it_belongs() -> None:
    with socket.socket() as other:
        first = free_address()
        other.bind((first, HTTPS_PORT))
        other.listen()
        assert free_address() != first


def test_a_program_of_the_cache_that_is_no_program_is_named(cluster: Access, tmp_path: Path) -> None:
    living = named(cluster.name)
    assert living is not None
    etcd = Path(living.spec.programs["etcd"])
    # Of the same size: what is cut short is noticed before, and made anew.
    broken = tmp_path / "broken"
    broken.touch(0o755)
    os.truncate(broken, etcd.stat().st_size)
    said = refusal(run("up", NAME, machine=f"mount --bind {broken} {etcd}"))
    assert f"etcd cannot be started: {etcd}: Exec format error" in said
    assert "remove its directory and run again" in said


def test_a_damaged_entry_of_the_cache_is_told_and_made_anew(cluster: Access, tmp_path: Path) -> None:
    living = named(cluster.name)
    assert living is not None
    image = next(one for one in living.spec.pushed if one.repository == "library/pulled")
    index = Path(image.layout) / "index.json"
    # On a copy of the cache that ends with the command: others use the original meanwhile.
    layers = f"lowerdir={ROOT},upperdir={tmp_path / 'upper'},workdir={tmp_path / 'work'},redirect_dir=on"
    for directory in ("upper", "work"):
        (tmp_path / directory).mkdir()
    machine = f"mount -t overlay -o {layers} overlay {ROOT}\n: > {index}"
    done = run("setup", "--recipes", str(RECIPES), machine=machine)
    assert done.code == 0, done
    assert [line for line in done.stderr.splitlines() if "damaged" in line] == [
        f"the cached image library/pulled:1 is damaged and is built again: {image.layout}"
    ]
