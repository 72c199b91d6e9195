"""Real Chromas of two versions as processes on the loopback, and a proxy before one that spoils what passes."""

from __future__ import annotations

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
_NATIVE: Final = "chroma:0.5.23"
# How `python -m cluster image` ends where this machine cannot have what an image is made of.
_CANNOT_BE_HAD: Final = 3


@contextmanager
def chroma(data: Path) -> Iterator[str]:
    """Run the installed Chroma with its data in a directory; yields its address once it answers."""
    with _running([str(_BIN / "chroma"), "run", "--path", str(data)], data) as url:
        yield url


def native_files(directory: Path) -> Path:
    """Lay the files of the image of Chroma 0.5.23 into a directory; skips where this machine cannot have it.

    They hold all that it needs, its Python too, but for the C library and that of C++.
    """
    command = [sys.executable, "-m", "cluster", "image", "--recipes", "manifests/images", _NATIVE]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if made.returncode == _CANNOT_BE_HAD:
        pytest.skip(f"the image {_NATIVE} cannot be had on this machine: {made.stderr.strip()}")
    assert made.returncode == 0, made.stderr
    layout = Path(made.stdout.strip())
    (described,) = oci.read_index(layout)
    for layer in json.loads(oci.blob(layout, described["digest"]).read_bytes())["layers"]:
        with tarfile.open(oci.blob(layout, layer["digest"])) as archive:
            archive.extractall(
                directory, (one for one in archive if one.name.startswith("opt/")), filter="tar"
            )
    return directory


@contextmanager
def native(files: Path, data: Path, *, header: str | None = "X-Chroma-Token") -> Iterator[str]:
    """Run a Chroma 0.5.23 as the release native states it, with its data in a directory; yields its address once it answers.

    `files` are those of `native_files`. It asks for `TOKEN` itself, in a header that it has to be told
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
def _running(command: list[str], data: Path, environ: Mapping[str, str] | None = None) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [*command, "--host", "127.0.0.1", "--port", str(port)]
    with (
        (data / "log").open("wb") as log,
        subprocess.Popen(command, cwd=data, env=environ, stdout=log, stderr=log) as process,
    ):
        try:
            wait_for(
                lambda: plain.ask(at(url), "GET", BEAT).status == 200,
                Deadlines().live,
                lambda: f"Chroma does not start: {process.poll()}\n{(data / 'log').read_text()}",
                (plain.NoResponse,),
            )
            yield url
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
