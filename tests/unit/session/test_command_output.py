"""What a command prints is its result: no banner of pytest's, no traceback, and a line where it was ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).resolve().parents[3]
INVENTORY: Final = {
    "DOMAIN_NAME": "example.com",
    "ADMIN_USERNAME": "tkadmin",
    "PRIMARY_INGRESS_CLASS": "nginx",
    "HARBOR_REGISTRY": "harbor.example.com",
    "VANTAGE_IMAGE": "harbor.example.com/library/probe:1",
}
TOKEN: Final = "sesame-0123456789abcdef"


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """An API server that takes a question and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(120)
        yield server


@pytest.fixture
def kubeconfig(tmp_path: Path, silent: socket.socket) -> Path:
    file = tmp_path / "kubeconfig"
    server = f"http://127.0.0.1:{silent.getsockname()[1]}"
    content = {
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "one", "user": "jo"}}],
        "clusters": [{"name": "one", "cluster": {"server": server}}],
        "users": [{"name": "jo", "user": {"token": "a"}}],
    }
    file.write_text(yaml.safe_dump(content))
    return file


def _start(kubeconfig: Path, *options: str, token: str = TOKEN) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", "features/", *options, f"--kubeconfig={kubeconfig}"],
        cwd=ROOT,
        env={**kept, **INVENTORY, "ADMIN_PASSWORD": token},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("option", ["--status", "--apply"])
def test_sigterm_ends_a_command_with_a_line(kubeconfig: Path, silent: socket.socket, option: str) -> None:
    process = _start(kubeconfig, option)
    connection, _ = silent.accept()
    with connection:
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=120)
    assert process.returncode == pytest.ExitCode.INTERRUPTED, out + err
    assert out == ""
    assert err.split() == ["interrupted", "by", "SIGTERM"]


@pytest.mark.parametrize("option", ["--status", "--notes", "--history", "--plan"])
def test_a_token_that_cannot_be_one_was_asked_wrongly(kubeconfig: Path, option: str) -> None:
    process = _start(kubeconfig, option, token="short")
    out, err = process.communicate(timeout=120)
    assert process.returncode == pytest.ExitCode.USAGE_ERROR, out + err
    assert out == ""
    assert err.strip().splitlines()[0] == "ERROR: the inventory is incomplete or wrong:"
    assert "ADMIN_PASSWORD: is shorter than 16 characters" in err


@pytest.mark.parametrize(
    "options", [("-n", "3"), ("-n3", "--dist=load"), ("--hypothesis-profile=ci", "--hypothesis-seed", "0")]
)
def test_a_command_takes_the_options_of_the_run_that_it_is_for(
    kubeconfig: Path, options: tuple[str, ...]
) -> None:
    process = _start(kubeconfig, "--plan", *options, token="short")
    out, err = process.communicate(timeout=120)
    assert process.returncode == pytest.ExitCode.USAGE_ERROR, out + err
    assert "ADMIN_PASSWORD" in err, "it got as far as without them"
    assert "unrecognized" not in err
