"""The transfer pod: it mounts a claim for as long as something is copied out of it or into it."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, closing, contextmanager
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Final

from support.core.errors import SuiteError
from support.core.wait import kept, wait_for
from support.kube import probe
from support.kube.containers import own, phase
from support.kube.errors import ApiError
from support.kube.labels import is_ours

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from http.client import HTTPResponse

    from support.core.wait import Deadlines
    from support.kube.client import Kube
    from support.kube.objects import Object

# One name, so that there is never more than one beside a claim.
POD: Final = "chroma-copy"
_MOUNT: Final = "/claim"
# Where the probe's `share` listens: on the loopback, to which only a port-forward leads.
_PORT: Final = 8080
# Bytes of what the pod says of a failure, and the status by which it says that there is no room.
_WORDS: Final = 1000
_NO_ROOM: Final = 507
_ENDED: Final = {"Succeeded", "Failed"}
# Answers to a request for a way to a pod that no waiting changes: rights, and what stands before the API server and speaks
# no websocket or wants credentials.
_NO_WAY: Final = {401, 403, 405, 407, 426}


class CopyError(SuiteError):
    """What is copied did not arrive, or may not be copied; the text says why, and what to do."""


class FullError(CopyError):
    """There is no room left on the claim."""


class UnansweredError(CopyError):
    """The way to the transfer pod is broken, or not there yet."""


class Stream:
    """What comes from the transfer pod."""

    def __init__(self, answer: HTTPResponse, broken: Callable[[Exception], CopyError]) -> None:
        self._answer = answer
        self._broken = broken

    def read(self, size: int = -1, /) -> bytes:
        """Return at most so many bytes, none at the end; raises a `CopyError` where the end is missing."""
        try:
            return self._answer.read(None if size < 0 else size)
        except (OSError, HTTPException) as error:
            raise self._broken(error) from error


class TransferPod:
    """What the transfer pod can be asked for; every method raises a `CopyError` that says what the pod said."""

    def __init__(self, kube: Kube, namespace: str) -> None:
        self._kube = kube
        self._namespace = namespace

    def wait(self, deadlines: Deadlines) -> None:
        """Wait until the pod can be asked."""
        wait_for(
            self._answers,
            deadlines.live,
            lambda: f"the transfer pod {self._namespace}/{POD} does not answer: {self._pod().get('status')}",
            (ApiError, UnansweredError),
        )

    def usage(self) -> tuple[int, int]:
        """Return how many files the claim holds, and how many bytes are in them."""
        with self._asked("GET", "/usage") as answer:
            usage = json.loads(answer.read())
        return usage["files"], usage["bytes"]

    def reading(self) -> AbstractContextManager[Stream]:
        """Lend what the claim holds, as the stream of a tar."""
        return self._asked("GET", "/")

    def write(self, pieces: Iterable[bytes]) -> None:
        """Write what a tar holds, given in pieces, to the claim; raises a `FullError` where it has no room for it."""
        with self._asked("PUT", "/", pieces):
            pass

    def empty(self) -> None:
        """Remove all that the claim holds."""
        with self._asked("DELETE", "/"):
            pass

    def _answers(self) -> bool:
        ended = phase(self._pod())
        if ended in _ENDED:
            raise CopyError(
                f"the transfer pod {self._namespace}/{POD} has {ended.lower()}: {self._last_words()}"
            )
        try:
            self.usage()
        except ApiError as error:
            if not _may_heal(error):
                raise _no_way(error) from error
            raise
        return True

    def _pod(self) -> Object:
        return _shown(self._kube.get("Pod", POD, self._namespace) or {})

    def _last_words(self) -> str:
        try:
            return self._kube.logs(self._namespace, POD, "probe", tail=1).strip() or "its log is empty"
        except ApiError as error:
            return error.message

    @contextmanager
    def _asked(self, method: str, path: str, pieces: Iterable[bytes] | None = None) -> Iterator[Stream]:
        with closing(HTTPConnection("127.0.0.1", _PORT)) as connection:
            connection.sock = self._kube.forward(self._namespace, POD, _PORT)
            connection.sock.settimeout(kept().silence)
            try:
                connection.request(method, path, pieces)
                answer = connection.getresponse()
                words = answer.read(_WORDS).decode("utf-8", "replace") if answer.status >= 300 else ""
            except (OSError, HTTPException) as error:
                raise self._broken(error) from error
            if answer.status >= 300:
                raise (FullError if answer.status == _NO_ROOM else CopyError)(f"the transfer pod: {words}")
            yield Stream(answer, self._broken)

    def _broken(self, error: Exception) -> UnansweredError:
        return UnansweredError(
            f"the transfer pod {self._namespace}/{POD} broke off: {type(error).__name__}: {error}; "
            f"its last words: {self._last_words()}"
        )


@contextmanager
def transfer_pod_beside(kube: Kube, pod: Object, deadlines: Deadlines) -> Iterator[TransferPod]:
    """Ask for a transfer pod and lend what it can be asked for, once it is waited for; it goes whatever happens.

    Raises a `CopyError` where there is one already.
    """
    namespace = pod["metadata"]["namespace"]
    _clear_the_way(kube, namespace)
    try:
        probe.start(kube, pod, deadlines)
        yield TransferPod(kube, namespace)
    finally:
        kube.delete("Pod", POD, namespace, grace=0)


def transfer_pod_for(
    namespace: str, claim: str, image: str, run_id: str, of_release: Object, *, read_only: bool
) -> Object:
    """Make the pod that copies; `of_release` is the specification of the release's own pod.

    It takes from it the security context, since it meets its files, and what images are pulled with.
    """
    taken = {"securityContext": {}} | {
        field: of_release[field] for field in ("securityContext", "imagePullSecrets") if field in of_release
    }
    return probe.pod(
        POD,
        namespace,
        run_id,
        image,
        ["share", _MOUNT],
        **taken,
        mounts=[{"name": "claim", "mountPath": _MOUNT, "readOnly": read_only}],
        volumes=[{"name": "claim", "persistentVolumeClaim": {"claimName": claim, "readOnly": read_only}}],
    )


def prove_way(kube: Kube, namespace: str) -> None:
    """Open a way to a pod of a namespace, as the copying will; raises a `CopyError` where none can ever be opened.

    Where no pod runs, nothing is known; then nothing has to be quiesced either.
    """
    running = [pod for pod in kube.list("Pod", namespace) if pod["status"].get("phase") == "Running"]
    for pod in running[:1]:
        try:
            kube.forward(namespace, pod["metadata"]["name"], _PORT).close()
        except ApiError as error:
            if not _may_heal(error):
                raise _no_way(error) from error


def _may_heal(error: ApiError) -> bool:
    """Whether a way to a pod that failed so may be there a moment later: rights and certificates do not come by themselves."""
    return not error.lasting and error.status not in _NO_WAY


def _no_way(error: ApiError) -> CopyError:
    return CopyError(
        f"there is no way to a pod on this cluster, so nothing can be copied: {error}; to do: see whether "
        "`kubectl port-forward` works with this kubeconfig: its server name, proxy and rights"
    )


def users(kube: Kube, namespace: str, claim: str) -> list[str]:
    """Return the names of the pods that mount a claim, but for the copying one."""
    return [
        pod["metadata"]["name"]
        for pod in kube.list("Pod", namespace)
        if pod["metadata"]["name"] != POD
        and pod["status"].get("phase") not in _ENDED
        and any(
            volume.get("persistentVolumeClaim", {}).get("claimName") == claim
            for volume in pod["spec"].get("volumes", [])
        )
    ]


def _shown(pod: Object) -> Object:
    """Return the transfer pod without the containers that others have put into it."""
    return own(pod, {"spec": {"containers": [{"name": probe.CONTAINER}]}})


def _clear_the_way(kube: Kube, namespace: str) -> None:
    """Remove a transfer pod that has ended; what killed its operator kept it from being removed."""
    there = kube.get("Pod", POD, namespace)
    if there and is_ours(there) and phase(_shown(there)) in _ENDED:
        kube.delete("Pod", POD, namespace, grace=0)
    elif there:
        raise CopyError(
            f"something is copied in {namespace} already, or was until somebody killed it: wait until the pod {POD} "
            "has ended, which takes five minutes where nobody asks it any more, or delete it"
        )
