"""Real Chromas as processes on the loopback, and a proxy before one that spoils what passes."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Final

from support.core.wait import Deadlines, wait_for
from support.network import http as plain
from support.network.way import at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ROOT: Final = Path(__file__).parents[3]
TOKEN: Final = "sesame-0123456789-sesame"
HEADER: Final = "x-chroma-token"
BEAT: Final = "/api/v2/heartbeat"
_BIN: Final = Path(sys.executable).parent


@contextmanager
def chroma(data: Path) -> Iterator[str]:
    """Run the installed Chroma with its data in a directory; yields its address once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [str(_BIN / "chroma"), "run", "--path", str(data), "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(
                lambda: plain.ask(at(url), "GET", BEAT).status == 200,
                Deadlines().live,
                lambda: f"Chroma does not start: {process.poll()}",
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
