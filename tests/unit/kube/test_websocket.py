"""Channels come through a websocket whole and in order, however they are cut into frames; what refuses one is heard out."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Ping, Pong, Request

from support.kube.websocket import V4, V5, RejectedError, Websocket
from tests.proxies import head_of, listening

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DATA, ERROR = 0, 1
MANY = bytes(range(256)) * 20_000  # 5 MB: more than all buffers on the way
PATIENCE = 20


class Server:
    """The API server's side of one websocket."""

    def __init__(self, connection: socket.socket, protocol: str | None) -> None:
        self.connection = connection
        self.frames = WSConnection(ConnectionType.SERVER)
        (request,) = self.events()
        assert isinstance(request, Request)
        self.asked = request
        self.say(AcceptConnection(subprotocol=protocol))

    def events(self) -> list[Any]:
        """Return what has come, nothing at the end."""
        data = self.connection.recv(65536)
        if data:
            self.frames.receive_data(data)
        return list(self.frames.events()) if data else []

    def say(self, *events: Any) -> None:
        self.connection.sendall(b"".join(self.frames.send(event) for event in events))

    def heard(self) -> Iterator[bytes]:
        """Yield what comes, in the pieces in which it comes, until the other side has gone."""
        while events := self.events():
            yield from (bytes(event.data) for event in events if isinstance(event, BytesMessage))


def message(channel: int, data: bytes, *, whole: bool = True) -> BytesMessage:
    return BytesMessage(data=bytes([channel]) + data, message_finished=whole)


class Way:
    """The way to an API server on the loopback."""

    def __init__(self, port: int, connect: Callable[..., socket.socket] = socket.create_connection) -> None:
        self.port = port
        self._connect = connect

    def connect(self, timeout: float) -> socket.socket:
        return self._connect(("127.0.0.1", self.port), timeout)

    def request(self, path: str) -> tuple[str, str, dict[str, str]]:
        return f"127.0.0.1:{self.port}", path, {"authorization": "Bearer sesame"}


@contextmanager
def opened(
    behave: Callable[[Server], None],
    protocol: str | None = V4,
    offered: tuple[str, ...] = (V5, V4),
    connect: Callable[..., socket.socket] = socket.create_connection,
) -> Iterator[Websocket]:
    with listening(lambda connection: behave(Server(connection, protocol))) as port:
        way: Any = Way(port, connect)
        yield Websocket.open(way, "/exec?command=x", offered, PATIENCE)


def test_what_is_asked_for_arrives() -> None:
    seen: list[Request] = []

    def behave(server: Server) -> None:
        seen.append(server.asked)
        server.say(CloseConnection(code=1000))

    with opened(behave) as websocket:
        websocket.collect(PATIENCE)
    assert (seen[0].target, seen[0].subprotocols) == ("/exec?command=x", [V5, V4])
    assert (b"authorization", b"Bearer sesame") in seen[0].extra_headers


# Of a command


def test_each_channel_is_collected_however_its_messages_are_cut() -> None:
    def behave(server: Server) -> None:
        server.say(
            message(1, b"o", whole=False), BytesMessage(data=b"ut"), message(2, b"err"), message(1, b"")
        )
        for byte in server.frames.send(message(1, b"put")):
            server.connection.sendall(bytes([byte]))
        server.say(message(1, MANY), CloseConnection(code=1000))

    with opened(behave) as websocket:
        said = websocket.collect(PATIENCE)
    assert said == {1: b"output" + MANY, 2: b"err"}
    assert said[3] == b""


def test_what_comes_with_the_agreement_is_not_lost() -> None:
    def behave(server: Server) -> None:
        pass

    class AtOnce(Server):
        def say(self, *events: Any) -> None:
            super().say(*events, message(1, b"early"), CloseConnection(code=1000))

    with listening(lambda connection: behave(AtOnce(connection, V4))) as port:
        way: Any = Way(port)
        assert Websocket.open(way, "/", (V4,), PATIENCE).collect(PATIENCE) == {1: b"early"}


def test_the_end_of_the_connection_is_an_end() -> None:
    with opened(lambda server: server.say(message(1, b"cut"))) as websocket:
        assert websocket.collect(PATIENCE) == {1: b"cut"}


def test_a_question_whether_we_are_there_is_answered() -> None:
    def behave(server: Server) -> None:
        server.say(Ping(payload=b"there?"))
        if Pong(payload=b"there?") in server.events():
            server.say(message(1, b"yes"))

    with opened(behave) as websocket:
        assert websocket.collect(PATIENCE) == {1: b"yes"}


def test_silence_runs_into_the_time_out() -> None:
    def behave(server: Server) -> None:
        assert not server.events()

    with opened(behave) as websocket, pytest.raises(TimeoutError):
        websocket.collect(0.1)


@pytest.mark.parametrize(("protocol", "ends"), [(V4, []), (V5, [b"\xff\x00"])])
def test_the_end_of_the_input_is_told_where_there_is_a_word_for_it(protocol: str, ends: list[bytes]) -> None:
    heard: list[bytes] = []
    with opened(lambda server: heard.extend(server.heard()), protocol) as websocket:
        websocket.send(0, b"input")
        websocket.end(0)
        websocket._transport.shutdown(socket.SHUT_WR)
        websocket.collect(PATIENCE)
    assert heard == [b"\0input", *ends]


# Of a forwarded port


@contextmanager
def forwarded(
    behave: Callable[[Server], None], connect: Callable[..., socket.socket] = socket.create_connection
) -> Iterator[socket.socket]:
    """Lend the near end of a forwarded port; both channels begin by naming it."""

    def greet(server: Server) -> None:
        port = (8000).to_bytes(2, "little")
        server.say(message(DATA, port[:1], whole=False), BytesMessage(data=port[1:]), message(ERROR, port))
        behave(server)

    with opened(greet, connect=connect) as websocket:
        near, far = socket.socketpair()
        pump = threading.Thread(target=websocket.pump, args=(far,), daemon=True)
        pump.start()
        near.settimeout(PATIENCE)
        with near:
            yield near
        pump.join(PATIENCE)
        assert not pump.is_alive(), "the pump goes on after both have gone"


def read_all(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65536), b""))


def test_a_port_passes_bytes_as_they_are_both_ways_at_once() -> None:
    def echo(server: Server) -> None:
        channel_wanted, size = True, 0
        while size < len(MANY):
            for event in server.events():
                data = bytes(event.data)[1:] if channel_wanted else bytes(event.data)
                channel_wanted = event.message_finished
                size += len(data)
                server.say(message(DATA, data))

    with forwarded(echo) as near:
        sender = threading.Thread(target=near.sendall, args=(MANY,))
        sender.start()
        assert read_all(near) == MANY
        sender.join()


def test_the_near_end_may_stop_sending_and_still_be_answered() -> None:
    def behave(server: Server) -> None:
        server.events()
        server.say(message(DATA, b"heard"))

    with forwarded(behave) as near:
        near.sendall(b"all I have to say")
        near.shutdown(socket.SHUT_WR)
        assert read_all(near) == b"heard"


def test_what_the_pod_says_before_it_fails_is_delivered() -> None:
    def behave(server: Server) -> None:
        server.say(message(DATA, b"last words"), message(ERROR, b"connection refused"))
        server.events()

    with forwarded(behave) as near:
        assert read_all(near) == b"last words"


def test_what_is_sent_to_an_end_that_has_closed_is_dropped() -> None:
    def behave(server: Server) -> None:
        # More than the near end takes at once, so that it is still read from, and less than the pump holds back for it.
        server.say(message(DATA, MANY[:800_000]), CloseConnection(code=1000))
        server.events()

    with forwarded(behave) as near:
        seen = b""
        while len(seen) < 400_000:
            near.sendall(b"too late")
            seen += near.recv(1000)
        assert seen + read_all(near) == MANY[:800_000]


def test_an_answer_arrives_though_its_end_left_while_something_was_sent_to_it() -> None:
    sending, gone = threading.Event(), threading.Event()

    def behave(server: Server) -> None:
        assert sending.wait(PATIENCE)
        server.say(message(DATA, b"too large"))
        server.connection.shutdown(socket.SHUT_RDWR)
        gone.set()

    class Left(socket.socket):
        def send(self, *_: Any) -> int:
            sending.set()
            assert gone.wait(PATIENCE)
            raise BrokenPipeError

    def connect(*arguments: Any) -> socket.socket:
        left = Left(fileno=socket.create_connection(*arguments).detach())
        left.settimeout(PATIENCE)
        return left

    with forwarded(behave, connect) as near:
        near.sendall(b"a body")
        assert read_all(near) == b"too large"


def test_the_far_end_learns_that_the_near_one_has_gone() -> None:
    gone = threading.Event()

    def behave(server: Server) -> None:
        assert not server.events()
        gone.set()

    with forwarded(behave):
        pass
    assert gone.wait(PATIENCE)


# What is no websocket


def answered(answer: bytes) -> Websocket:
    def handle(connection: socket.socket) -> None:
        head_of(connection)
        connection.sendall(answer)

    with listening(handle) as port:
        way: Any = Way(port)
        return Websocket.open(way, "/", (V4,), PATIENCE)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nbody",
        b"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
        b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\nbody",
        b"HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\nbody",
    ],
    ids=["sized", "chunked", "to the end", "broken off"],
)
def test_a_refusal_is_heard_to_its_end(answer: bytes) -> None:
    with pytest.raises(RejectedError) as refused:
        answered(answer)
    assert (refused.value.status, refused.value.body) == (403, b"body")


def test_a_refusal_without_end_is_not() -> None:
    with pytest.raises(RejectedError) as refused:
        answered(b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 9_000_000)
    assert len(refused.value.body) < 1 << 20


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "ended the connection without an answer"),
        (b"SSH-2.0-OpenSSH_9.9\r\n\r\n", "does not speak websocket: Bad HTTP message"),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
            "does not speak websocket: Bad accept token",
        ),
    ],
    ids=["nothing", "another protocol", "an agreement on nothing"],
)
def test_what_does_not_speak_websocket_is_said_to(answer: bytes, reason: str) -> None:
    with pytest.raises(ConnectionError, match=reason):
        answered(answer)


def test_an_agreement_without_a_protocol_is_none() -> None:
    with pytest.raises(ConnectionError, match="which protocol is spoken"), opened(lambda _: None, None):
        pass
