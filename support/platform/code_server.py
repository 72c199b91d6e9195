"""Tells the shells of the platform's code-server what the platform's services announce."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from support.kube.errors import ApiError
from support.kube.labels import is_ours
from support.kube.secrets import decoded
from support.platform import discovery, shells

if TYPE_CHECKING:
    from support.kube.client import Kube
    from support.kube.objects import Object, Objects
    from support.platform.discovery import Variable

_LABELS: Final = {"app": "code-server"}
_DEFAULT_CONTAINER: Final = "kubectl.kubernetes.io/default-container"


def home_beside(namespace: str) -> str:
    """Return the namespace of the code-server that belongs to a release's: code-server beside chroma.

    Beside any other place (a parallel run's, a throw-away one) it is one that no platform has: what is tried there
    stays out of the shells in which people work.
    """
    return f"code-server{namespace.removeprefix('chroma')}"


def update(kube: Kube, namespace: str, timeout: float) -> str:
    """Tell the code-server beside a release's namespace what is announced now, and return in a sentence what came of it.

    Never raises: a release does not depend on it. `timeout` is in seconds, for each pod.
    """
    home = home_beside(namespace)
    try:
        pods = _running(kube, home)
        if not pods:
            return f"no code-server runs in {home}: no shell has the entry"
        variables, unknown = announced(kube, namespace)
        script = shells.script(variables)
        problems = [_write(kube, pod, script, timeout) for pod in pods]
    except (ApiError, TimeoutError) as error:
        return f"code-server in {home} could not be given what is announced: {error}"
    return "; ".join([*problems, *unknown])


def announced(kube: Kube, namespace: str) -> tuple[dict[str, str], list[str]]:
    """Return the variables that services announce, and a sentence for each that has no value.

    Of the suite's own releases only that of `namespace` counts: those of parallel runs have the same names. It
    comes last, so that its variables stand against any other's.
    """
    found = kube.list("ConfigMap", None, discovery.SELECTOR)
    theirs = [one for one in found if not is_ours(one)]
    ours = [one for one in found if is_ours(one) and one["metadata"]["namespace"] == namespace]
    variables: dict[str, str] = {}
    unknown: list[str] = []
    for entry in discovery.entries([*theirs, *ours]):
        for variable in entry.service.environment_variables:
            value = variable.value
            if value is None and entry.namespace == namespace:
                value = _looked_up(kube, namespace, variable)
            if value is None:
                unknown.append(f"{variable.name} of {entry.namespace} has no value")
            elif shells.is_taken(variable.name, value):
                variables[variable.name] = value
            else:
                unknown.append(f"{variable.name!r} of {entry.namespace} is nothing that a shell takes")
    return variables, unknown


def _looked_up(kube: Kube, namespace: str, variable: Variable) -> str | None:
    """Return a variable's value from the Secret that it names, None when it is not there.

    Asked of the release's own entry alone: nobody else's Secrets are read for this.
    """
    named = variable.value_from
    if named is None:
        return None
    return decoded(kube.get("Secret", named.secret, namespace) or {}).get(named.key)


def _running(kube: Kube, home: str) -> Objects:
    return [
        pod
        for pod in kube.list("Pod", home, _LABELS)
        if pod.get("status", {}).get("phase") == "Running" and "deletionTimestamp" not in pod["metadata"]
    ]


def _write(kube: Kube, pod: Object, script: bytes, timeout: float) -> str:
    """Let a pod's own shell put the variables in place; return in a sentence what came of it."""
    name, home = pod["metadata"]["name"], pod["metadata"]["namespace"]
    done = kube.exec(home, name, container_of(pod), ["sh", "-s"], timeout, stdin=script)
    if done.code:
        # Its words might quote the script, which holds secrets.
        return f"code-server {home}/{name} could not be given what is announced: its shell ended with {done.code}"
    return f"code-server {home}/{name} has what is announced"


def container_of(pod: Object) -> str:
    """Return the container in which people work: code-server's own by its name, else the one that kubectl chooses."""
    annotations = pod["metadata"].get("annotations") or {}
    names = [container["name"] for container in pod["spec"]["containers"]]
    if _LABELS["app"] in names:
        return _LABELS["app"]
    return str(annotations.get(_DEFAULT_CONTAINER) or names[0])
