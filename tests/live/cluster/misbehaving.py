"""An API server that misbehaves by rule: a proxy on the loopback in front of a real one."""

from __future__ import annotations

import json
import re
import socket
import ssl
import tempfile
import threading
from base64 import b64decode
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass
class Rule:
    """What happens to requests "METHOD path?query" that match a pattern, after the first `spared` of them."""

    pattern: str
    react: Callable[[Handler], None]
    spared: int = 0
    met: int = 0

    def applies(self, asked: str) -> bool:
        """Whether a request is one of those; it is counted."""
        if not re.search(self.pattern, asked):
            return False
        self.met += 1
        return self.met > self.spared


class Server(ThreadingHTTPServer):
    """Passes requests on to the API server of a kubeconfig, but for those that a rule is for."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, kubeconfig: Path, rules: list[Rule]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.rules = rules
        self.gone = threading.Event()
        self.lock = threading.Lock()
        self.host, self.port, self.tls = _upstream(kubeconfig)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of connections that end early: that is what this is for."""


class Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    server: Server

    def handle_one_request(self) -> None:
        """Pass a request on, or react to it as the first rule says that is for it."""
        if self.server.gone.is_set():
            self.close_connection = True
            return
        super().handle_one_request()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._do
        raise AttributeError(name)

    def log_message(self, *_: Any) -> None:
        """Say nothing of requests."""

    def _do(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = f"{self.command} {self.path}"
        with self.server.lock:
            rule = next((rule for rule in self.server.rules if rule.applies(asked)), None)
        if self.server.gone.is_set():
            self.close_connection = True
        elif rule:
            rule.react(self)
        elif "upgrade" in (self.headers.get("Connection") or "").lower():
            self._tunnel()
        else:
            self._forward()

    def _forward(self) -> None:
        upstream = HTTPSConnection(self.server.host, self.server.port, context=self.server.tls, timeout=400)
        headers = {
            name: value for name, value in self.headers.items() if name.lower() not in {"host", "connection"}
        }
        try:
            upstream.request(self.command, self.path, self.body or None, headers)
            answer = upstream.getresponse()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in {"transfer-encoding", "content-length", "connection", "date"}:
                    self.send_header(name, value)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            while piece := answer.read1(65536):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
        except (OSError, HTTPException):
            self.close_connection = True
        finally:
            upstream.close()

    def _tunnel(self) -> None:
        """Carry an upgraded connection both ways."""
        self.close_connection = True
        plain = socket.create_connection((self.server.host, self.server.port))
        with self.server.tls.wrap_socket(plain, server_hostname=self.server.host) as far:
            head = "".join(
                f"{name}: {value}\r\n" for name, value in self.headers.items() if name.lower() != "host"
            )
            far.sendall(f"{self.requestline}\r\nHost: {self.server.host}\r\n{head}\r\n".encode())
            back = threading.Thread(target=_pour, args=(far, self.connection), daemon=True)
            back.start()
            _pour(self.connection, far)
            back.join()


def _pour(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)


def status(code: int, reason: str, message: str) -> Callable[[Handler], None]:
    """Refuse as the API server does, with a Status."""
    told = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code}
    return body(code, json.dumps(told | {"reason": reason, "message": message}), "application/json")


def body(code: int, text: str, kind: str = "text/html") -> Callable[[Handler], None]:
    """Answer with any text, as something on the way does."""

    def react(handler: Handler) -> None:
        handler.send_response(code)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(text.encode())))
        handler.end_headers()
        handler.wfile.write(text.encode())

    return react


def half(handler: Handler) -> None:
    """Break off in the middle of an answer."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "4000")
    handler.end_headers()
    handler.wfile.write(b'{"kind": "List", "items": [{"metad')
    handler.close_connection = True


def drop(handler: Handler) -> None:
    """End the connection without a word."""
    handler.close_connection = True


def fall_silent(handler: Handler) -> None:
    """Begin an answer, and never go on."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.server.gone.wait(300)
    handler.close_connection = True


def die(handler: Handler) -> None:
    """Be gone from now on: listen no more, and answer nobody."""
    handler.server.gone.set()
    handler.close_connection = True
    threading.Thread(target=handler.server.shutdown, daemon=True).start()
    handler.server.socket.close()


@contextmanager
def misbehaving(kubeconfig: Path, directory: Path, *rules: Rule) -> Iterator[Path]:
    """Lend a kubeconfig that leads to an API server which misbehaves by rules."""
    server = Server(kubeconfig, list(rules))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    config = yaml.safe_load(kubeconfig.read_text())
    config["clusters"][0]["cluster"] = {"server": f"http://127.0.0.1:{server.server_address[1]}"}
    config["users"][0]["user"] = {}
    file = directory / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    try:
        yield file
    finally:
        server.gone.set()
        server.shutdown()
        server.server_close()


def _upstream(kubeconfig: Path) -> tuple[str, int, ssl.SSLContext]:
    config = yaml.safe_load(kubeconfig.read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    at = urlsplit(cluster["server"])
    with tempfile.TemporaryDirectory() as scratch:

        def held(of: dict[str, str], name: str) -> str:
            if name in of:
                return of[name]
            file = Path(scratch) / name
            file.write_bytes(b64decode(of[f"{name}-data"]))
            return str(file)

        tls = ssl.create_default_context(cafile=held(cluster, "certificate-authority"))
        tls.load_cert_chain(held(user, "client-certificate"), held(user, "client-key"))
    return str(at.hostname), int(at.port or 443), tls
