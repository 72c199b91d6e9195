"""Real Chromas of two versions and the gateway as processes on the loopback, and a proxy that spoils what passes."""

from __future__ import annotations

import hashlib
import http.client
import json
import socket
import subprocess
import sys
import tarfile
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from cluster.build import oci
from support.core.wait import Deadlines, wait_for
from support.network import http as plain
from support.network.way import at
from support.release.catalogue import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ROOT: Final = Path(__file__).parents[3]
TOKEN: Final = "sesame-0123456789-sesame"
HEADER: Final = "x-chroma-token"
BEAT: Final = "/api/v2/heartbeat"
_BIN: Final = Path(sys.executable).parent
NATIVE: Final = "chroma:0.5.23"
GATEWAY: Final = "gateway:1"
# How `python -m cluster image` ends where this machine cannot have what an image is made of.
_CANNOT_BE_HAD: Final = 3


@contextmanager
def chroma(data: Path) -> Iterator[str]:
    """Run the installed Chroma with its data in a directory; yields its address once it answers."""
    with _running([str(_BIN / "chroma"), "run", "--path", str(data)], data) as url:
        yield url


def files_of(image: str, directory: Path) -> Path:
    """Lay the files of an image into a directory, and return that; skips where this machine cannot have the image."""
    command = [sys.executable, "-m", "cluster", "image", "--recipes", "manifests/images", image]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if made.returncode == _CANNOT_BE_HAD:
        pytest.skip(f"the image {image} cannot be had on this machine: {made.stderr.strip()}")
    assert made.returncode == 0, made.stderr
    layout = Path(made.stdout.strip())
    (described,) = oci.read_index(layout)
    for layer in json.loads(oci.blob(layout, described["digest"]).read_bytes())["layers"]:
        with tarfile.open(oci.blob(layout, layer["digest"])) as archive:
            archive.extractall(directory, filter="tar")
    return directory


@contextmanager
def native(files: Path, data: Path, *, header: str | None = "X-Chroma-Token") -> Iterator[str]:
    """Run a Chroma 0.5.23 as the release native states it, with its data in a directory; yields its address once it answers.

    `files` are those of its image, which bring all but the C library and that of C++. It asks for `TOKEN` itself, in a header that it has to be told
    as it spells it (None: it asks for none).
    """
    stated = load("native").chroma
    environ = {
        name: value.replace(stated.data, str(data)) if isinstance(value, str) else TOKEN
        for name, value in stated.environment.items()
        if header or "AUTH" not in name
    }
    if header:
        environ["CHROMA_AUTH_TOKEN_TRANSPORT_HEADER"] = header
    environ |= {"PYTHONPATH": str(files / "opt/chroma"), "HOME": str(data), "IS_PERSISTENT": "1"}
    python = files / "opt/python/bin/python3.11"
    with _running([str(python), "-B", "-m", "uvicorn", "chromadb.app:app"], data, environ) as url:
        yield url


@contextmanager
def gateway(files: Path, directory: Path, url: str) -> Iterator[int]:
    """Run the gateway of the releases before a Chroma, as where pods have addresses of IPv6; yields its port once it answers there.

    `files` are those of its image, `directory` is for its configuration.
    """
    port, health = _free_port(), _free_port()
    for file in (ROOT / "manifests/gateway").iterdir():
        text = file.read_text(encoding="utf-8").replace("/usr/local/etc/haproxy", str(directory))
        for of_pod, here in (
            ("/etc/gateway/tokens", str(directory)),
            (":8000", f":{port}"),
            (":8405", f":{health}"),
            ("127.0.0.1:8001", url.removeprefix("http://")),
        ):
            text = text.replace(of_pod, here)
        (directory / file.name).write_text(text, encoding="utf-8")
    (directory / "tokens.map").write_text(
        f"{hashlib.sha256(TOKEN.encode()).hexdigest()} tester\n", encoding="utf-8"
    )
    (directory / "origins.map").touch()
    (loader,) = (files / "lib64").glob("ld-linux*")
    libraries = ":".join(
        str(one) for one in (*files.glob("lib/*-linux-gnu"), *files.glob("usr/lib/*-linux-gnu"))
    )
    program = [str(loader), "--library-path", libraries, str(files / "usr/bin/haproxy")]
    command = [*program, "-db", "-f", str(directory / "haproxy.cfg")]
    with _up(command, directory, f"http://[::1]:{port}", {"GATEWAY_LISTENS_ON_IPV6": "true"}):
        yield port


@contextmanager
def _running(command: list[str], data: Path, environ: Mapping[str, str] | None = None) -> Iterator[str]:
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    with _up([*command, "--host", "127.0.0.1", "--port", str(port)], data, url, environ):
        yield url


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def _up(command: list[str], data: Path, url: str, environ: Mapping[str, str] | None) -> Iterator[None]:
    """Run a program in a directory, which also gets its log, once what it serves answers at an address."""
    with (
        (data / "log").open("wb") as log,
        subprocess.Popen(command, cwd=data, env=environ, stdout=log, stderr=log) as process,
    ):
        try:
            wait_for(
                lambda: plain.ask(at(url), "GET", BEAT).status == 200,
                Deadlines().live,
                lambda: f"{command[0]} does not start: {process.poll()}\n{(data / 'log').read_text()}",
                (plain.NoResponse,),
            )
            yield
        finally:
            process.terminate()


@contextmanager
def proxy(
    url: str,
    *,
    header: str | None = HEADER,
    spoil: Callable[[str, str, bytes, int, bytes], tuple[int, bytes]] | None = None,
    lets_in: Callable[[Mapping[str, str], str], bool] | None = None,
) -> Iterator[str]:
    """Put a proxy before a Chroma that asks for `TOKEN` in a header (None: it does not), and spoils answers; yields its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(url, header, spoil, lets_in))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(
    url: str,
    header: str | None,
    spoil: Callable[[str, str, bytes, int, bytes], tuple[int, bytes]] | None,
    lets_in: Callable[[Mapping[str, str], str], bool] | None,
) -> type[BaseHTTPRequestHandler]:
    wanted = f"Bearer {TOKEN}" if header == "Authorization" else TOKEN

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            shown = self.headers.get_all(header or "") or []
            right = header is None or shown == [wanted]
            if not (right or (lets_in and lets_in(dict(self.headers), self.path))):
                self._answer(401, b'{"error":"AuthError","message":"no token"}')
                return
            far = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)
            kind = {"Content-Type": self.headers.get("Content-Type", "application/json")}
            far.request(self.command, self.path, body, kind)
            came = far.getresponse()
            status, answer = came.status, came.read()
            far.close()
            if spoil:
                status, answer = spoil(self.command, self.path, body, status, answer)
            self._answer(status, answer)

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_TRACE = _pass  # noqa: N815 - the names of http.server

    return Handler


def run(url: str, *arguments: str, report_dir: Path, token: str = "", header: str = "") -> tuple[int, str]:
    """Run the suite on an address as a user does; returns its exit code and all that it said."""
    command = [sys.executable, "-m", "pytest", "--endpoint", url, "--report-dir", str(report_dir), *arguments]
    environ = {"PATH": str(_BIN), "HOME": str(report_dir), "COLUMNS": "160"}
    environ |= {"CHROMA_TOKEN": token} if token else {}
    environ |= {"CHROMA_TOKEN_HEADER": header} if header else {}
    ran = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=600, check=False
    )
    return ran.returncode, ran.stdout + ran.stderr
