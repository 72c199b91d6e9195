"""A thin client of the Kubernetes API: plain dictionaries in and out."""

from __future__ import annotations

import json
import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from urllib3.exceptions import HTTPError

from apiserver.connection import Connection
from apiserver.errors import NoAnswerError, explained
from support.core.restraint import restraint
from support.core.wait import kept
from support.kube import errors
from support.kube.discovery import contents
from support.kube.errors import ApiError
from support.kube.owners import conflicts
from support.kube.resources import OPTIONAL, path_of, path_to

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from support.kube.discovery import Contents
    from support.kube.objects import Object, Objects
    from support.kube.websocket import Websocket


FIELD_MANAGER: Final = "chroma-conformance"


# Seconds after which the API server ends a watch, which then goes on from where it was.
_WATCH_SECONDS: Final = 300

# The protocols of a websocket, the better one first: v4 has no word for the end of an input, v5 has one for exec alone.
_EXEC: Final = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_FORWARD: Final = ("v4.channel.k8s.io",)

_STDIN, _STDOUT, _STDERR, _STATUS = 0, 1, 2, 3  # channels of an exec's websocket


@dataclass(frozen=True)
class Exec:
    """How a command in a container ended."""

    code: int
    stdout: bytes
    stderr: bytes


class Kube:
    """One cluster, as a kubeconfig file and one of its contexts (None: the file's current one) name it.

    Safe to use from several threads. Every method raises `ApiError` when the API server says no.
    """

    def __init__(self, kubeconfig: Path, context: str | None) -> None:
        self._way = Connection(kubeconfig, context)

    def apply(self, obj: Object, *, dry_run: bool = False) -> Object:
        """Apply an object server-side and return it as stored; a Conflict over fields that others manage.

        What the suite itself has changed by another operation is no conflict.
        """
        query = {"fieldManager": FIELD_MANAGER} | _dry(dry_run)
        try:
            return self._json("PATCH", path_of(obj), query, obj, "application/apply-patch+yaml")
        except ApiError as error:
            error.stated = obj
            if set(conflicts(error.message)) != {FIELD_MANAGER}:
                raise
            return self._json(
                "PATCH", path_of(obj), query | {"force": "true"}, obj, "application/apply-patch+yaml"
            )

    def create(self, obj: Object, *, dry_run: bool = False, manager: str = FIELD_MANAGER) -> Object:
        """Create an object and return it as stored; a Conflict when it exists."""
        path = path_to(obj["kind"], None, obj["metadata"].get("namespace"))
        return self._json("POST", path, {"fieldManager": manager} | _dry(dry_run), obj)

    def token(self, namespace: str, account: str) -> str:
        """Return a token of a service account, as its pods have one; it lasts an hour."""
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        answer = self._json("POST", path_to("ServiceAccount", account, namespace) + "/token", body=request)
        return str(answer["status"]["token"])

    def get(self, kind: str, name: str, namespace: str | None = None) -> Object | None:
        """Return the object, or None when there is none."""
        try:
            return self._json("GET", path_to(kind, name, namespace))
        except ApiError as refusal:
            if refusal.status == 404:
                return None
            raise

    def list(
        self, kind: str, namespace: str | None = None, labels: Mapping[str, str] | None = None
    ) -> Objects:
        """Return all objects of a kind, of one namespace or (None) of all, that carry every one of the labels.

        Of an API that the cluster does not have, or that the user may not see, there are none.
        """
        try:
            return self.listing(kind, namespace, labels)[0]
        except ApiError as refusal:
            if kind in OPTIONAL and refusal.status in {403, 404}:
                return []
            raise

    def everything(self, namespace: str) -> Contents:
        """Return all that a namespace holds, of every kind that the cluster knows and lets be removed, as metadata alone.

        Each has `kind` and `metadata`; events are left out, and what is only measured or asked about.
        """
        return contents(lambda path, accept: self._json("GET", path, accept=accept), namespace)

    def delete(self, kind: str, name: str, namespace: str | None = None, *, grace: int | None = None) -> None:
        """Ask for an object's deletion, with what it owns; does not wait, and an absent object is fine."""
        body: Object = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        if grace is not None:
            body["gracePeriodSeconds"] = grace
        try:
            self._json("DELETE", path_to(kind, name, namespace), body=body)
        except ApiError as refusal:
            if refusal.status != 404:
                raise

    def patch(
        self,
        kind: str,
        name: str,
        namespace: str | None,
        merge: Object,
        *,
        manager: str = FIELD_MANAGER,
        subresource: str = "",
    ) -> Object:
        """Change an object, or a part of it that has a path of its own ("scale"), by a JSON merge patch; return it as stored."""
        path = "/".join(filter(None, (path_to(kind, name, namespace), subresource)))
        return self._json("PATCH", path, {"fieldManager": manager}, merge, "application/merge-patch+json")

    def logs(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        previous: bool = False,
        tail: int = 200,
        seconds: int | None = None,
    ) -> str:
        """Return the last lines of a container's log, or (`previous`) of the container before it.

        `seconds`: only what came in the last so many.
        """
        query = {"container": container, "previous": str(previous).lower(), "tailLines": str(tail)}
        if seconds is not None:
            query["sinceSeconds"] = str(seconds)
        answer = self._call("GET", path_to("Pod", pod, namespace) + "/log", query)
        return _whole(answer).decode("utf-8", "replace")

    def exec(
        self,
        namespace: str,
        pod: str,
        container: str,
        argv: Sequence[str],
        timeout: float,
        *,
        stdin: bytes | None = None,
    ) -> Exec:
        """Run a command in a container; raises TimeoutError when it has not ended after `timeout` seconds.

        `argv` is seen by everybody who lists processes or reads the API server's audit log: a secret goes through `stdin`.
        The command has to know by itself where its input ends: before Kubernetes 1.30 it does not see that.
        """
        query = [("container", container), ("stdout", "true"), ("stderr", "true")]
        query += [("stdin", "true")] * (stdin is not None)
        query += [("command", word) for word in argv]
        websocket = self._open(namespace, pod, "exec", query, _EXEC)
        try:
            if stdin is not None:
                websocket.send(_STDIN, stdin)
                websocket.end(_STDIN)
            said = websocket.collect(timeout)
        except TimeoutError:
            raise TimeoutError(f"{argv[0]} in {namespace}/{pod} has not ended after {timeout:g} s") from None
        return Exec(_exit_code(json.loads(said[_STATUS] or b"{}")), said[_STDOUT], said[_STDERR])

    def forward(self, namespace: str, pod: str, port: int) -> socket.socket:
        """Open one connection to a port inside the pod, by its loopback, as a plain blocking socket.

        Shutting down the socket's writing side keeps its reading side open, but the pod does not learn of it:
        the protocol has no word for it.
        """
        websocket = self._open(namespace, pod, "portforward", [("ports", str(port))], _FORWARD)
        near, far = socket.socketpair()
        threading.Thread(
            target=websocket.pump, args=(far,), name=f"forward {pod}:{port}", daemon=True
        ).start()
        return near

    def listing(
        self, kind: str, namespace: str | None, labels: Mapping[str, str] | None = None
    ) -> tuple[Objects, str]:
        """Return what `list` does, and the resourceVersion from which to follow what changes afterwards."""
        query = (
            {"labelSelector": ",".join(f"{key}={value}" for key, value in labels.items())} if labels else {}
        )
        path = path_to(kind, None, namespace)
        answer = self._json("GET", path, query)
        try:
            # The items of a list come without the two fields that say what they are.
            named = {"apiVersion": answer["apiVersion"], "kind": kind}
            return [named | item for item in answer["items"] or ()], answer["metadata"]["resourceVersion"]
        except (KeyError, TypeError):
            message = (
                f"GET /{path} is answered with no list but {errors.excerpt(json.dumps(answer).encode())}"
            )
            raise ApiError(0, errors.UNANSWERED, message) from None

    def changes(self, kind: str, namespace: str, version: str) -> Any:
        """Return the open answer (of urllib3) in which changes after a resourceVersion come, each a line of JSON."""
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(_WATCH_SECONDS),
        }
        return self._call("GET", path_to(kind, None, namespace), query, silence=_WATCH_SECONDS)

    def _json(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Object | None = None,
        content_type: str = "application/json",
        *,
        accept: str = "application/json",
    ) -> Object:
        answer = self._call(method, path, query, body, content_type, accept=accept)
        return errors.understood(_whole(answer), f"{method} /{path}")

    def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Object | None = None,
        content_type: str = "application/json",
        *,
        accept: str = "application/json",
        silence: float = 0,
    ) -> Any:
        restraint().asks_cluster(method, _of_object(method, path, body), dry_run="dryRun" in (query or {}))
        headers = {"Accept": accept} | ({"Content-Type": content_type} if body is not None else {})
        content = json.dumps(body).encode() if body is not None else None
        timeout = kept().connect, silence + kept().request
        try:
            answer = self._way.send(method, path, query or {}, headers, content, timeout)
        except (HTTPError, NoAnswerError, OSError) as error:
            raise errors.unanswered(error, "the API server is not reached") from error
        if answer.status >= 300:
            raise errors.refused(answer.status, _whole(answer))
        return answer

    def _open(
        self,
        namespace: str,
        pod: str,
        what: str,
        query: Iterable[tuple[str, str]],
        protocols: Sequence[str],
    ) -> Websocket:
        from support.kube.websocket import RejectedError, Websocket  # noqa: PLC0415 - most commands open none

        path = f"/{path_to('Pod', pod, namespace)}/{what}?{urlencode(list(query))}"
        if what == "exec" and not restraint().runs_commands:
            raise ApiError(403, "Forbidden", f"{restraint().mode} runs no command without --capability exec")
        restraint().opens_pod(path_to("Pod", pod, namespace), what)
        try:
            return Websocket.open(self._way, path, protocols, kept().request)
        except RejectedError as error:
            refused = errors.refused(error.status, error.body)
            refused.lasting = errors.is_no_upgrade(refused)
            raise refused from error
        except (NoAnswerError, OSError) as error:
            raise errors.unanswered(error, f"no way into {namespace}/{pod} ({what})") from error


def _of_object(method: str, path: str, body: Object | None) -> str:
    """Return the path of what a request is about: of what is created as well, which is sent to the path of its kind."""
    name = body["metadata"].get("name") if method == "POST" and body and body.get("metadata") else ""
    return f"{path}/{name}" if name else path


def _dry(dry_run: bool) -> dict[str, str]:
    return {"dryRun": "All"} if dry_run else {}


def _whole(answer: Any) -> bytes:
    """Read an answer to its end; one that breaks off is none."""
    try:
        body: bytes = answer.read()
    except (HTTPError, OSError) as error:
        raise ApiError(0, errors.UNANSWERED, f"its answer breaks off: {explained(error)}") from error
    return body


def _exit_code(status: Object) -> int:
    if status.get("status") == "Success":
        return 0
    for cause in status.get("details", {}).get("causes", []):
        if cause.get("reason") == "ExitCode":
            return int(cause["message"])
    raise ApiError(
        0, status.get("reason", "Unfinished"), status.get("message", "the command's end is unknown")
    )
