"""The vantage: a pod inside the cluster through which any client sees a release as a neighbour pod does."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Final

from support.core.process import this_process
from support.core.restraint import restraint
from support.core.wait import Timeout, kept, wait_for
from support.kube import probe
from support.kube.errors import ApiError
from support.kube.labels import LASTS, PROCESS
from support.kube.resources import path_of, path_to
from support.network.tunnel import CHUNK, NoWay, Tunnel, Unreachable
from support.network.way import netloc
from support.platform.pull_secret import copy_of

if TYPE_CHECKING:
    import socket
    from types import TracebackType
    from typing import Self

    from support.core.wait import Deadlines
    from support.kube.client import Kube
    from support.kube.objects import Object
    from support.platform.pull_secret import PullSecret

POD: Final = "vantage"
# Seconds that a vantage without a mark lasts at most, where its process cannot be looked for: longer than any run that verifies.
LONGEST: Final = 6 * 3600.0
# Where the probe's `proxy` listens.
_PROXY_PORT: Final = 1080


class Vantage:
    """One pod of the probe image; a context manager.

    It lies in a throw-away namespace of its own, or in one that is there already, where its name carries the run's id.
    `pull` is the Secret with which its image is pulled (None: without). Its own namespace gets a copy; one that is there
    already is left as it is, and has one of that name. Entering raises `LookupError` where there is none to copy.

    Entering only asks for the pod; the first connection waits for it. Leaving ends every tunnel and asks for the pod's and
    the throw-away namespace's deletion without waiting for it. Safe to use from several threads.
    """

    def __init__(
        self,
        kube: Kube,
        image: str,
        deadlines: Deadlines,
        *,
        namespace: str,
        run_id: str,
        pull: PullSecret | None = None,
    ) -> None:
        self._kube = kube
        self._image = image
        self._deadlines = deadlines
        self._namespace = namespace
        self._run_id = run_id
        self._pull = pull
        self._tunnels: dict[tuple[str, int], Tunnel] = {}
        self._lock = threading.Lock()
        self._up = False
        self._pod, self._is_ours = POD, True

    def __enter__(self) -> Self:
        self._is_ours = not probe.is_there(self._kube, self._namespace)
        # Before anything is made: there may be none.
        pull = self._pull.read(self._kube) if self._pull and self._is_ours else ""
        if self._is_ours:
            restraint().own(path_to("Namespace", self._namespace, None))
            self._kube.apply(self._marked(probe.namespace(self._namespace, self._run_id)))
        else:
            self._pod = f"{POD}-{self._run_id}"
        restraint().own(path_to("Pod", self._pod, self._namespace))
        pod = probe.pod(
            self._pod,
            self._namespace,
            self._run_id,
            self._image,
            ["proxy"],
            restartPolicy="Always",
            **self._pulling(pull),
        )
        probe.start(self._kube, self._marked(pod), self._deadlines)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            for tunnel in self._tunnels.values():
                tunnel.close()
            self._tunnels.clear()
        # Both at the same instant: a namespace dies in rounds of five seconds (docs/speed.md#how-a-namespace-ends).
        self._kube.delete("Pod", self._pod, self._namespace, grace=0)
        if self._is_ours:
            self._kube.delete("Namespace", self._namespace)

    def _pulling(self, pull: str) -> Object:
        """Return the part of the pod's specification that names what its image is pulled with: a copy of `pull`, where that is given."""
        if not self._pull:
            return {}
        name = self._pull.name
        if pull:
            secret = copy_of(pull, self._namespace, self._run_id)
            restraint().own(path_of(secret))
            self._kube.apply(secret)
            name = secret["metadata"]["name"]
        return {"imagePullSecrets": [{"name": name}]}

    def _marked(self, obj: Object) -> Object:
        """Let an object say by which process it was made, and how long it may last: a run that verifies has no mark."""
        if restraint().changes:
            return obj
        noted = {PROCESS: json.dumps(this_process()), LASTS: f"{LONGEST:g}"}
        return {**obj, "metadata": {**obj["metadata"], "annotations": noted}}

    def tunnel(self, host: str, port: int) -> Tunnel:
        """Return the local end of the way to a host and port as the cluster knows them; one for each target.

        It lasts as long as the vantage. That nobody listens there shows only in a connection: it is closed at once,
        and the reason is logged. Raises `NoWay` where the vantage itself is not reached.
        """
        self._await_proxy()
        with self._lock:
            if (host, port) not in self._tunnels:
                self._tunnels[host, port] = Tunnel(host, port, self.connect)
            return self._tunnels[host, port]

    def connect(self, host: str, port: int) -> socket.socket:
        """Open a connection from the vantage to a host and port as the cluster knows them.

        Raises `Unreachable` with the reason, or `NoWay` when the vantage itself is not reached.
        """
        self._await_proxy()
        return self._connect(host, port)

    def _await_proxy(self) -> None:
        if self._up:
            return
        try:
            wait_for(self._proxy_answers, self._deadlines.live, self._describe, (ApiError, Unreachable))
        except (ApiError, Timeout) as error:
            raise NoWay(
                f"{error}; without a way to the vantage nothing is known of what a neighbour sees: mend that way first"
            ) from error
        self._up = True

    def _proxy_answers(self) -> bool:
        # The one target that is sure to listen.
        self._connect("127.0.0.1", _PROXY_PORT).close()
        return True

    def _connect(self, host: str, port: int) -> socket.socket:
        connection = self._kube.forward(self._namespace, self._pod, _PROXY_PORT)
        try:
            connection.settimeout(kept().consent)
            target = netloc(host, port)
            connection.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
            _read_consent(connection)
            connection.settimeout(None)
        except (OSError, Unreachable) as error:
            connection.close()
            raise Unreachable(f"{netloc(host, port)} cannot be reached from the vantage: {error}") from error
        return connection

    def _describe(self) -> str:
        pod = self._kube.get("Pod", self._pod, self._namespace) or {}
        return f"pod {self._namespace}/{self._pod} does not answer; its state: {pod.get('status', 'absent')}"


def _read_consent(connection: socket.socket) -> None:
    """Read the proxy's answer to CONNECT, and not a byte of what follows; raises `Unreachable`."""
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte:
            raise Unreachable("the proxy does not answer")
        answer += byte
    status = answer.split(b" ", 2)[1]
    if status != b"200":
        raise Unreachable(connection.recv(CHUNK).decode("utf-8", "replace").strip() or status.decode())
