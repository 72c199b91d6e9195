"""A kubeconfig is read as kubectl reads it, and none of its credentials is ever shown."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from trustme import CA

from apiserver.connection import Connection
from apiserver.errors import UnusableError
from apiserver.kubeconfig import Target, read

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def written(user: dict[str, Any] | None = None, **cluster: Any) -> Path:
        config = {
            "current-context": "here",
            "contexts": [{"name": "here", "context": {"cluster": "one", "user": "jo"}}],
            "clusters": [{"name": "one", "cluster": {"server": "https://127.0.0.1:6443/", **cluster}}],
            "users": [{"name": "jo", "user": user or {}}],
        }
        file = tmp_path / "kubeconfig"
        file.write_text(yaml.safe_dump(config))
        return file

    return written


def headers(target: Target) -> dict[str, str]:
    return dict(target.headers())


@pytest.mark.parametrize(
    ("user", "shown"),
    [
        ({"token": "sesame"}, {"Authorization": "Bearer sesame"}),
        ({"username": "jo", "password": "sesame"}, {"Authorization": "Basic am86c2VzYW1l"}),
        ({"token": "a", "tokenFile": "absent"}, {"Authorization": "Bearer a"}),
        ({"as": "mary", "token": "a"}, {"Authorization": "Bearer a", "Impersonate-User": "mary"}),
        ({}, {}),
    ],
)
def test_a_user_shows_what_kubectl_would_show(
    write: Callable[..., Path], user: dict[str, Any], shown: dict[str, str]
) -> None:
    assert headers(read(write(user), None)) == shown


def test_a_token_in_a_file_beside_the_kubeconfig_may_change(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("first\n")
    target = read(write({"tokenFile": "token"}), None)
    assert headers(target) == {"Authorization": "Bearer first"}
    (tmp_path / "token").write_text("second\n")
    assert headers(target) == {"Authorization": "Bearer second"}


def test_the_authority_and_the_certificate_are_taken_from_files_and_from_data(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    authority = CA()
    issued = authority.issue_cert("jo")
    (tmp_path / "ca.pem").write_bytes(authority.cert_pem.bytes())
    certificate, key = issued.cert_chain_pems[0].bytes(), issued.private_key_pem.bytes()
    user = {
        "client-certificate-data": base64.b64encode(certificate).decode(),
        "client-key-data": base64.b64encode(key).decode(),
    }
    target = read(write(user, **{"certificate-authority": "ca.pem", "tls-server-name": "api"}), None)
    assert len(target.tls.get_ca_certs()) == 1
    assert (target.server, target.server_name, target.verified) == ("https://127.0.0.1:6443", "api", True)


def test_who_is_not_to_be_verified_is_not(write: Callable[..., Path]) -> None:
    assert read(write(**{"insecure-skip-tls-verify": True}), None).tls.verify_mode is ssl.CERT_NONE


@pytest.mark.parametrize(
    ("user", "told"),
    [
        ({"tokenFile": "sesame"}, "the file of its tokenFile cannot be read"),
        ({"client-certificate": "sesame", "client-key": "sesame"}, "the file of its client-certificate"),
        ({"client-key-data": "c2VzYW1l"}, "of client-certificate and client-key it has one alone"),
        (
            {"client-key-data": "c2VzYW1l", "client-certificate-data": "c2VzYW1l"},
            "does not lead to a cluster",
        ),
        ({"as-groups": ["sesame"]}, "asks for as-groups, which is not supported"),
    ],
)
def test_what_is_wrong_is_told_without_a_credential(
    write: Callable[..., Path], user: dict[str, Any], told: str
) -> None:
    with pytest.raises(UnusableError, match=told) as error:
        read(write(user), None)
    assert "sesame" not in str(error.value)


def test_a_program_that_issues_a_token_is_run(write: Callable[..., Path], tmp_path: Path) -> None:
    credential = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": "sesame"},
    }
    program = tmp_path / "issue"
    program.write_text(f"#!/bin/sh\necho '{json.dumps(credential)}'\n")
    program.chmod(0o755)
    user = {
        "exec": {"apiVersion": credential["apiVersion"], "command": str(program), "interactiveMode": "Never"}
    }
    assert headers(read(write(user), None)) == {"Authorization": "Bearer sesame"}


def test_a_program_named_by_a_relative_path_lies_beside_the_kubeconfig(
    write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "issue"
    program.parent.mkdir()
    credential = (
        '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"sesame"}}'
    )
    program.write_text(f"#!/bin/sh\necho '{credential}'\n")
    program.chmod(0o755)
    monkeypatch.chdir("/")
    called = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "./bin/issue",
        "interactiveMode": "Never",
    }
    assert headers(read(write({"exec": called}), None)) == {"Authorization": "Bearer sesame"}


def test_a_server_at_an_address_of_ipv6_is_reached(write: Callable[..., Path]) -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        port = server.getsockname()[1]
        threading.Thread(target=_answer, args=(server,), daemon=True).start()
        way = Connection(write(server=f"http://[::1]:{port}"), None)
        answer = way.send("GET", "version", {}, {}, None, (5, 5))
        assert (answer.status, answer.data) == (200, b"{}")
        assert way.request("/version")[0] == f"[::1]:{port}"


def _answer(server: socket.socket) -> None:
    with server.accept()[0] as connection:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


def test_a_user_with_credentials_of_its_own_does_without_the_kubernetes_client(
    write: Callable[..., Path],
) -> None:
    # It takes more time to import than all the rest of a command.
    program = (
        "import sys; from pathlib import Path; from apiserver.connection import Connection; "
        f"Connection(Path({str(write({'token': 'a'}))!r}), None); sys.exit('kubernetes' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)
