# mypy: untyped-calls-exclude=kubernetes
"""A thin client of the Kubernetes API: plain dictionaries in and out, and the suite's only importer of `kubernetes`."""

from __future__ import annotations

import json
import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from apiserver.connection import Connection
from apiserver.errors import NoAnswerError, explained
from support.core.errors import SuiteError
from support.core.wait import kept
from support.kube.owners import conflicts
from support.kube.resources import path_of, path_to
from support.kube.websocket import V4, V5, RejectedError, Websocket

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from support.kube.objects import Object, Objects


FIELD_MANAGER: Final = "chroma-conformance"


# Seconds after which the API server ends a watch, which then goes on from where it was.
_WATCH_SECONDS: Final = 300

# What to ask for to get every resource that the cluster serves, and only the metadata of objects.
_DISCOVERY: Final = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_METADATA: Final = "application/json;g=meta.k8s.io;v=v1;as=PartialObjectMetadataList"

# HTTP statuses by which nobody is let in as whom he says he is: by the API server, or by a proxy on the way.
_LASTING: Final = {401, 407}
# By which a websocket is refused for good: forbidden, or no server that knows of upgrades; 400 with these words is one, too.
_NO_UPGRADE: Final = {200, 204, 301, 302, 303, 307, 308, 403, 405, 426, 501}
_NO_UPGRADE_WORDS: Final = ("upgrade request required", "unable to upgrade")
# HTTP statuses by which an API says that it has no such resource (any more), or none that can be listed.
_NOTHING_THERE: Final = {404, 405}

_STDIN, _STDOUT, _STDERR, _STATUS = 0, 1, 2, 3  # channels of an exec's websocket


_UNANSWERED: Final = "Unanswered"


class ApiError(SuiteError):
    """The API server refused a request.

    `status` is the HTTP status (0: it never came to an answer), `reason` the API's one-word reason
    ("Forbidden", "Invalid", "Conflict", …), `message` its full sentence. `lasting`: no waiting changes it. `stated` is the
    object that was to be applied, where it was refused.
    """

    stated: Object | None = None

    def __init__(self, status: int, reason: str, message: str, *, lasting: bool = False) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        self.reason = reason
        self.message = message
        self.lasting = lasting or status in _LASTING

    @property
    def unanswered(self) -> bool:
        """Whether nobody answered: that is a failure of the cluster, and says nothing of an object."""
        return not self.status and self.reason == _UNANSWERED


@dataclass(frozen=True)
class Exec:
    """How a command in a container ended."""

    code: int
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True)
class Contents:
    """What a namespace holds; `unseen` names the APIs that could not be looked into, as their APIService is named."""

    objects: Objects
    unseen: tuple[str, ...]


class Kube:
    """One cluster, as a kubeconfig file and one of its contexts (None: the file's current one) name it.

    Safe to use from several threads. Every method raises `ApiError` when the API server says no.
    """

    def __init__(self, kubeconfig: Path, context: str | None) -> None:
        self._way = Connection(kubeconfig, context)
        self._api = self._way.api

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
        """Return all objects of a kind, of one namespace or (None) of all, that carry every one of the labels."""
        return self.listing(kind, namespace, labels)[0]

    def everything(self, namespace: str) -> Contents:
        """Return all that a namespace holds, of every kind that the cluster knows and lets be removed, as metadata alone.

        Each has `kind` and `metadata`; events are left out, and what is only measured or asked about.
        """
        found: Objects = []
        unseen: dict[str, None] = {}
        for root in ("api", "apis"):
            for api, path, resources in self._discovered(root, unseen):
                for resource in resources:
                    kind = resource["responseKind"]["kind"]
                    where = f"{path}/namespaces/{namespace}/{resource['resource']}"
                    listed = self._listed(where, api, unseen)
                    found += [{"kind": kind, "metadata": item["metadata"]} for item in listed]
        return Contents(found, tuple(unseen))

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
        websocket = self._open(namespace, pod, "exec", query, (V5, V4))
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
        websocket = self._open(namespace, pod, "portforward", [("ports", str(port))], (V4,))
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
            message = f"GET /{path} is answered with no list but {_excerpt(json.dumps(answer).encode())}"
            raise ApiError(0, _UNANSWERED, message) from None

    def _discovered(self, root: str, unseen: dict[str, None]) -> Iterator[tuple[str, str, Objects]]:
        """Yield name, path and resources of each API below a root; one whose server is gone has none, and is unseen."""
        try:
            groups = self._json("GET", root, accept=_DISCOVERY).get("items") or ()
        except ApiError as error:
            if error.unanswered:
                raise
            unseen[f"/{root}"] = None
            return
        for group in groups:
            name = group["metadata"].get("name", "")
            for version in group.get("versions", ())[:1]:
                api = ".".join(filter(None, (version["version"], name)))
                if "resources" not in version:
                    unseen[api] = None
                yield (
                    api,
                    "/".join(filter(None, (root, name, version["version"]))),
                    [one for one in version.get("resources") or () if _holds_objects(one)],
                )

    def _listed(self, path: str, api: str, unseen: dict[str, None]) -> Objects:
        """Return the metadata of what lies at a path; what cannot be looked at is noted as unseen."""
        try:
            return list(self._json("GET", path, accept=_METADATA).get("items") or ())
        except ApiError as error:
            if error.unanswered:
                raise
            if error.status not in _NOTHING_THERE:
                unseen[api] = None
            return []

    def changes(self, kind: str, namespace: str, version: str) -> Any:
        """Return the open answer (of urllib3) in which changes after a resourceVersion come, each a line of JSON."""
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(_WATCH_SECONDS),
        }
        return self._call("GET", path_to(kind, None, namespace), query, silence=_WATCH_SECONDS).response

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
        return _understood(_whole(answer), f"{method} /{path}")

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
        headers = {"Accept": accept} | ({"Content-Type": content_type} if body is not None else {})
        request = self._api.param_serialize(
            method,
            "/" + path,
            query_params=list((query or {}).items()),
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        try:
            answer = self._api.call_api(*request, _request_timeout=(kept().connect, silence + kept().request))
        except (ApiException, HTTPError, NoAnswerError) as error:
            raise _unanswered(error, "the API server is not reached") from error
        if answer.status >= 300:
            raise _refused(answer.status, _whole(answer))
        return answer

    def _open(
        self,
        namespace: str,
        pod: str,
        what: str,
        query: Iterable[tuple[str, str]],
        protocols: Sequence[str],
    ) -> Websocket:
        path = f"/{path_to('Pod', pod, namespace)}/{what}?{urlencode(list(query))}"
        try:
            return Websocket.open(self._way, path, protocols, kept().request)
        except RejectedError as error:
            refused = _refused(error.status, error.body)
            refused.lasting = _is_no_upgrade(refused)
            raise refused from error
        except (NoAnswerError, OSError) as error:
            raise _unanswered(error, f"no way into {namespace}/{pod} ({what})") from error


def _dry(dry_run: bool) -> dict[str, str]:
    return {"dryRun": "All"} if dry_run else {}


def _whole(answer: Any) -> bytes:
    """Read an answer to its end; one that breaks off is none."""
    try:
        body: bytes = answer.read()
    except (HTTPError, OSError) as error:
        raise ApiError(0, _UNANSWERED, f"its answer breaks off: {explained(error)}") from error
    return body


def _understood(body: bytes, asked: str) -> Object:
    """Return the object that an answer holds; what holds none was not said by an API server."""
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise ApiError(0, _UNANSWERED, f"{asked} is answered by no API server: {_excerpt(body)}")
    return answer


def _excerpt(body: bytes) -> str:
    return " ".join(body[:200].decode("utf-8", "replace").split()) or "an empty body"


def _refused(status: int, body: bytes) -> ApiError:
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        answer = {"message": _excerpt(body)}
    return ApiError(status, str(answer.get("reason") or ""), str(answer.get("message") or ""))


def _is_no_upgrade(error: ApiError) -> bool:
    words = error.message.lower()
    return (
        error.lasting
        or error.status in _NO_UPGRADE
        or (error.status == 400 and any(each in words for each in _NO_UPGRADE_WORDS))
    )


def _unanswered(error: Exception, what: str) -> ApiError:
    why = explained(error)
    return ApiError(0, _UNANSWERED, f"{what}: {why}", lasting=why.lasting)


def _holds_objects(resource: Object) -> bool:
    """Whether a resource is one of a namespace's that is stored there: what cannot be deleted is none."""
    kept = {"list", "delete"} <= set(resource.get("verbs") or ())
    return bool(
        kept and resource.get("scope") == "Namespaced" and resource["responseKind"]["kind"] != "Event"
    )


def _exit_code(status: Object) -> int:
    if status.get("status") == "Success":
        return 0
    for cause in status.get("details", {}).get("causes", []):
        if cause.get("reason") == "ExitCode":
            return int(cause["message"])
    raise ApiError(
        0, status.get("reason", "Unfinished"), status.get("message", "the command's end is unknown")
    )
