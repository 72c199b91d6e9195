"""What is found to be wrong: causes of refusals, troubles of users, and what to do about each; pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from support.core.component import INGRESS, ROUTE, SERVICE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.core.symptoms import Symptom

# The label by which an EndpointSlice names its Service.
SERVED: Final = "kubernetes.io/service-name"


class Cause(StrEnum):
    """The closed vocabulary of refusals, in the words of the features: "it is refused because …"."""

    IMAGE = "its image cannot be pulled"
    MEMORY = "it ran out of memory"
    NEVER_READY = "it never became ready"
    UNSCHEDULABLE = "it cannot be scheduled"
    CLAIM = "its claim is not bound"
    ADMISSION = "it was rejected by admission"
    FAILING = "its container keeps failing"
    TAKEN_AWAY = "it was taken away meanwhile"
    INSECURE = "anybody may use it"
    TOKEN = "the token is not the release's"  # noqa: S105 - a sentence
    NAMELESS = "its host has no address"
    ROUTE = "its route is not accepted by the Gateway"
    BACKEND = "its route leads to no Service"
    HOST_TAKEN = "its host leads to another namespace"
    ENDING = "something that it needs is being deleted"
    CONFLICT = "another manager owns a field of it"
    LOST = "its data is gone"
    UNREADABLE = "its data does not answer"
    OLDER = "its version is below the one that wrote the data"


class Trouble(StrEnum):
    """The closed vocabulary of troubles with a release that is deployed, in the words of the features."""

    INSECURE = "the release lets strangers in"
    TOKEN = "the token is not the release's"  # noqa: S105 - a sentence
    CERTIFICATE = "the ingress does not prove who it is"
    HOST = "the ingress does not know the host"
    ROUTE = "the Gateway does not accept the route"
    BACKEND = "the route leads to no Service"
    NAMELESS = "the host has no address"
    POLICY = "a NetworkPolicy keeps the ingress out"
    BUSY = "the release is too busy to answer"
    SERVICE = "the Service leads to no pod"
    POD = "no pod of the release is ready"
    SILENCE = "nothing answers"
    FULL = "the claim is full"
    BODY = "the body is too large"
    COLLECTION = "there is no such collection"
    DIMENSION = "the vectors are of another dimension"
    SLOW = "questions are answered slowly"


# What to do. Commands leave out the namespace: `-n chroma`, unless the release lives elsewhere.
_OF_CAUSES: Final[Mapping[Cause, str]] = {
    Cause.IMAGE: (
        "compare the image's name and tag with what the registry holds, and see whether the nodes reach the registry "
        "and may pull from it"
    ),
    Cause.MEMORY: "give Chroma a higher memory limit, or fewer and smaller records to hold",
    Cause.NEVER_READY: (
        "look at the path of the readiness probe and at `kubectl logs chroma-0 --all-containers`; if the pod is ready, "
        "at what leads to it: Service, Ingress and token"
    ),
    Cause.UNSCHEDULABLE: "ask for less CPU and memory, or compare with what `kubectl describe nodes` has left",
    Cause.CLAIM: (
        "look at `kubectl describe pvc chroma-data-pvc`, compare its storage class with `kubectl get storageclass`, "
        "and see whether the class's provisioner runs"
    ),
    Cause.ADMISSION: (
        "change the field that it names, or what forbids it: Pod Security, quota or priority class of the namespace"
    ),
    Cause.FAILING: "look at `kubectl logs chroma-0 --all-containers --previous`: its last lines say why it ended",
    Cause.TAKEN_AWAY: "ask who rolled it back while it was being deployed; nothing of it is left but its data: apply it again",
    Cause.INSECURE: (
        "set the variables by which this version of Chroma asks for a token, or put a gateway before it: the releases "
        '"native" and "gateway" do so'
    ),
    Cause.TOKEN: (
        "compare what Secret chroma-auth holds under auth-token with what the release was given to compare with: Secret "
        "chroma-gateway, or the variables of Chroma; after a change of ADMIN_PASSWORD apply the release again"
    ),
    Cause.NAMELESS: (
        "let DNS name the host (does external-dns, or what else publishes it, see the Ingress?), or give the address or the "
        "name of the load balancer as ingress_address; if DNS takes its time, be more patient (--patience)"
    ),
    Cause.ROUTE: (
        f"compare the parents of `kubectl get httproute {ROUTE} -o yaml` with the listeners of the Gateway (name, "
        "allowedRoutes, hostname), and gateway_name, gateway_namespace and gateway_section of the inventory with both"
    ),
    Cause.BACKEND: (
        f"compare the backend of `kubectl get httproute {ROUTE} -o yaml` with the name and port of Service {SERVICE}"
    ),
    Cause.HOST_TAKEN: (
        "give the release another host (--host NAME), or take the other Ingress or HTTPRoute away first: where a release of this suite has "
        "it, `pytest features/ --namespace NAME --remove`, which keeps its data"
    ),
    Cause.ENDING: "wait until it is gone, or remove what holds it, and apply again",
    Cause.CONFLICT: "let that manager give the field up, or give it the value that the release asks for",
    Cause.LOST: (
        "restore a backup: roll the release back with --remove-data, then --restore FILE; to begin without the data, roll "
        "the release back and apply it again"
    ),
    Cause.UNREADABLE: (
        "keep the version that wrote the data, or restore a backup that the new version can read; read the records out "
        "through the version that answers"
    ),
    Cause.OLDER: "apply a release of the version that wrote the data last, or of a later one",
}

_OF_TROUBLES: Final[Mapping[Trouble, str]] = {
    Trouble.INSECURE: (
        f"keep people away until it is mended (`kubectl delete ingress {INGRESS}`); `pytest --plan` names what "
        "differs from the release: apply it again, and look at what strangers may have read and written"
    ),
    Trouble.TOKEN: (
        "show in the header X-Chroma-Token what Secret chroma-auth holds under auth-token; that is ADMIN_PASSWORD as "
        "it was when the release was applied, so after changing it apply the release again"
    ),
    Trouble.CERTIFICATE: (
        "trust the platform's authority (ca_bundle of the inventory); if the ingress shows a certificate of its own, "
        "Secret chroma-tls-secret is missing or not for this host: apply the release again"
    ),
    Trouble.HOST: (
        f"compare the host with that of `kubectl get ingress {INGRESS}`, and its class with `kubectl get ingressclass`; "
        "if the Ingress is missing, apply the release again"
    ),
    Trouble.ROUTE: (
        f"see under status of `kubectl get httproute {ROUTE} -o yaml` which parent says no, and compare with the listeners "
        "of the Gateway (name, allowedRoutes, hostname); apply the release again"
    ),
    Trouble.BACKEND: (
        f"compare the backend of `kubectl get httproute {ROUTE} -o yaml` with the name and port of Service {SERVICE}; "
        "apply the release again"
    ),
    Trouble.NAMELESS: (
        "let DNS name the host, or give the address or the name of the load balancer as ingress_address of the inventory"
    ),
    Trouble.POLICY: (
        "look at `kubectl get networkpolicies`, and let one of them admit the ingress controller: from its namespace, to "
        "port 8000 of the pods with the label app=chroma"
    ),
    Trouble.BUSY: (
        "let it finish what it does, and write in smaller batches or with fewer writers at once; give Chroma more CPU, "
        "or its readiness probe more time (timeoutSeconds, failureThreshold)"
    ),
    Trouble.SERVICE: (
        f"compare the selector of Service {SERVICE} with the labels of the pod (app=chroma), and look at "
        f"`kubectl get endpointslices -l {SERVED}={SERVICE}`; apply the release again"
    ),
    Trouble.POD: (
        "look at `kubectl describe pod chroma-0` and `kubectl logs chroma-0 --all-containers`, with --previous where "
        "it has restarted; if there is no pod, at `kubectl describe statefulset chroma`"
    ),
    Trouble.SILENCE: (
        f"look in turn whether pod chroma-0 is ready, Service {SERVICE} has endpoints and Ingress {INGRESS} has the "
        f"host, and ask from inside the cluster: http://{SERVICE}.chroma/api/v2/heartbeat"
    ),
    Trouble.FULL: (
        "enlarge the claim (`kubectl edit pvc chroma-data-pvc`, where its class allows it) or delete old collections; "
        "do not restart Chroma before there is room, since an index that met a full disk does not survive a restart; "
        "if there is room, the collection's index is broken: restore a backup"
    ),
    Trouble.BODY: (
        "send smaller batches; the ingress takes what proxy-body-size on Ingress chroma-ingress says (100m), and Chroma "
        "takes 40 MiB whatever the ingress takes"
    ),
    Trouble.COLLECTION: (
        "list the collections of this tenant and database to verify the name (client.list_collections()), or create it "
        "with get_or_create_collection(); records are addressed by the collection's id, not by its name"
    ),
    Trouble.DIMENSION: (
        "a collection keeps the dimension of its first record: use the same embedding function for all that is added "
        "and asked, or begin another collection"
    ),
    Trouble.SLOW: (
        "ask for fewer records (n_results), give Chroma more CPU and memory, or split a large collection"
    ),
}


def remedy_of(kind: Cause | Trouble) -> str:
    """Return what to do where no more is known than the kind. Both vocabularies share sentences, and so no table."""
    return _OF_CAUSES[kind] if isinstance(kind, Cause) else _OF_TROUBLES[kind]


@dataclass(frozen=True)
class Finding:
    """What is wrong, and what was seen of it: the object, its reason, its message.

    `terminal`: only the operator can change it. A transient finding counts once it has lasted, and what
    `awaits` something that is on its way lasts to the deadline. `advice` takes the place of the usual remedy
    where more is known. `behind` is what stands between callers and a release whose pod is ready.
    """

    kind: Cause | Trouble
    detail: str
    terminal: bool = True
    advice: str | None = None
    awaits: str = ""
    unreached: Symptom | None = None  # what callers see of a release whose pod is ready
    behind: Finding | None = None

    @property
    def remedy(self) -> str:
        """What to do."""
        return self.advice or remedy_of(self.kind)

    @property
    def is_silence(self) -> bool:
        """Whether it says no more than that nothing answers: what is there may say why."""
        return self.kind is Trouble.SILENCE

    def __str__(self) -> str:
        return f"{self.kind}: {self.detail}; to do: {self.remedy}"


def short(message: str) -> str:
    """Keep a message to one line of about 300 characters: the runtimes repeat themselves, and end with the point."""
    line = " ".join(message.split())
    return line if len(line) <= 300 else f"{line[:180]} … {line[-120:]}"
