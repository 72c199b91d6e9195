"""The rights that the suite ships in manifests/suite/ for each of its modes; who needs to know one takes it from there."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import yaml

from support.core.templates import templates
from support.platform.certificate import Source
from support.platform.inventory import ROUTE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from support.kube.objects import Object, Objects

# What a run may do: deploy, restart and destroy; write records into a release that lives; or write nothing at all.
MODES: Final = ("deploy", "verify", "read-only")
# Where a release lives unless an operator chooses otherwise.
USUAL_NAMESPACE: Final = "chroma"
# The namespace of the suite itself.
HOME: Final = "chroma-conformance"
# On a Role without which a run goes on: what it then does not know.
_WITHOUT: Final = "chroma-conformance/without"
# The namespace of a vantage that stands for: no pod inside the cluster.
NO_VANTAGE: Final = "none"
_ROLES: Final = {"Role", "ClusterRole"}


@dataclass(frozen=True)
class Scope:
    """Where a mode has its rights: the namespace of the release, and those of the platform's certificate and Gateway.

    `gateway` is "" where hosts are exposed by Ingresses, `pull_secret` where the registry asks for no credentials.
    """

    release: str
    certificate_namespace: str
    certificate_secret: str
    gateway_namespace: str = ""
    gateway: str = ""
    pull_secret: str = ""
    suite: str = HOME


@dataclass(frozen=True)
class Grant:
    """One right: a verb on a resource ("pods/log") of an API group ("" is the core's).

    `namespace` None: in all of them, or of what belongs to the whole cluster; `name` None: on every object. `without`
    says what is not known where it is lacking; "" where nothing goes without it.
    """

    verb: str
    group: str
    resource: str
    namespace: str | None = None
    name: str | None = None
    without: str = ""

    @property
    def on(self) -> str:
        """What it is granted on: "secrets chroma-auth", "statefulsets.apps"."""
        return f"{self.resource}.{self.group}".rstrip(".") + (f" {self.name}" if self.name else "")

    def __str__(self) -> str:
        return f"{self.verb} of {self.on} " + (f"in {self.namespace}" if self.namespace else "everywhere")


# What it takes, beyond mode deploy, to play others in scenarios: an operator who scales and holds, a platform that renews
# certificates and hands out tokens, its webhooks and policies, and what scales its nodes.
PLAYED: Final = (
    Grant("create", "", "events"),
    Grant("patch", "", "nodes"),
    Grant("patch", "", "persistentvolumes"),
    Grant("delete", "", "persistentvolumes"),
    Grant("patch", "", "pods"),
    Grant("patch", "", "secrets"),
    Grant("delete", "", "secrets"),
    Grant("create", "", "serviceaccounts/token"),
    Grant("create", "admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
    Grant("delete", "admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
    Grant("create", "admissionregistration.k8s.io", "validatingwebhookconfigurations"),
    Grant("delete", "admissionregistration.k8s.io", "validatingwebhookconfigurations"),
    Grant("patch", "apps", "statefulsets/scale"),
    Grant("create", "networking.k8s.io", "networkpolicies"),
)


@dataclass(frozen=True)
class Asked:
    """What is asked of the suite: in which mode it runs, and the namespace of the release.

    `vantage` is the namespace of its vantage, where that is to lie in one that is there already; `report` that in which its
    report is kept, "" where it is not.
    """

    mode: str
    release: str
    vantage: str = ""
    report: str = ""


DEPLOY: Final = Asked("deploy", USUAL_NAMESPACE)


def user(mode: str) -> str:
    """Return the name by which the API server knows the suite's account of a mode."""
    return f"system:serviceaccount:{HOME}:{mode}"


def is_own(release: str, namespace: str) -> bool:
    """Whether a namespace is the suite's own, that of its release, or a throw-away one beside either."""
    return any(namespace == own or namespace.startswith(f"{own}-") for own in (release, HOME))


def scope_of(release: str, stated: Mapping[str, Any], suite: str = HOME) -> Scope:
    """Return where the suite has its rights, by the values of an inventory; what is not stated is as usual.

    `suite` is the namespace of its account and its Jobs.
    """
    source = Source.of(
        str(stated.get("domain_name", "")), str(stated.get("certificate_namespace", "default"))
    )
    routed = stated.get("exposure") == ROUTE
    return Scope(
        release,
        source.namespace,
        source.secret,
        str(stated.get("gateway_namespace", "")) if routed else "",
        str(stated.get("gateway_name", "")) if routed else "",
        str(stated.get("image_pull_secret") or ""),
        suite,
    )


def needed(asked: Asked, stated: Mapping[str, Any]) -> list[Grant]:
    """Return every right that takes what is asked, on the platform of an inventory of which some values may be missing."""
    scope = scope_of(asked.release, stated)
    found = [
        replace(one, namespace=asked.vantage) if one.namespace == HOME else one
        for one in grants(_roles(asked.mode, scope))
        # Elsewhere the vantage has a namespace of its own, or there is none.
        if one.namespace != HOME or asked.vantage not in {"", NO_VANTAGE}
    ]
    if asked.report:
        found += grants(_roles_of_report(asked.mode, replace(scope, suite=asked.report)))
    if stated.get("domain_name"):
        return found
    # Which Secret holds the certificate is not known then.
    return [one for one in found if one.name != scope.certificate_secret]


def manifests(mode: str, scope: Scope) -> Objects:
    """Return the objects that give the suite its account and its rights in a mode, in the order in which they are applied."""
    facts: dict[str, Any] = {"mode": mode, **vars(scope)}
    objects = [*_rendered("namespace", facts), *_rendered("account", facts)]
    for role in (*_roles(mode, scope), *_roles_of_report(mode, scope)):
        role["metadata"]["labels"] = {"app.kubernetes.io/part-of": "chroma-conformance"}
        objects += [role, *_rendered("binding", facts | {"role": role})]
    objects += _rendered("networkpolicy", facts)
    return [*objects, *_rendered("admission", facts)] if mode == DEPLOY.mode else objects


def _roles(mode: str, scope: Scope) -> Objects:
    """Return the roles of a run."""
    return _rendered(mode, {"mode": mode, **vars(scope)})


def _roles_of_report(mode: str, scope: Scope) -> Objects:
    """Return the roles that keeping its report takes beside them; who deploys may do that anyway."""
    return [] if mode == DEPLOY.mode else _rendered("report", {"mode": mode, **vars(scope)})


def grants(objects: Iterable[Object]) -> list[Grant]:
    """Return every right that Roles and ClusterRoles among some objects grant."""
    return [
        Grant(
            verb,
            group,
            resource,
            role["metadata"].get("namespace"),
            name,
            (role["metadata"].get("annotations") or {}).get(_WITHOUT, ""),
        )
        for role in objects
        if role["kind"] in _ROLES
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for name in rule.get("resourceNames") or (None,)
        for verb in rule["verbs"]
    ]


def table(objects: Iterable[Object]) -> Iterator[str]:
    """Yield the rows of a table of the rights: where, on what, which."""
    yield "| where | on | verbs |"
    yield "|---|---|---|"
    for role in objects:
        if role["kind"] not in _ROLES:
            continue
        where = f"`{role['metadata']['namespace']}`" if role["kind"] == "Role" else "everywhere"
        for rule in role["rules"]:
            group = rule["apiGroups"][0]
            names = ", ".join(f"`{one}.{group}`".replace(".`", "`") for one in rule["resources"])
            only = ", ".join(f"`{one}`" for one in rule.get("resourceNames") or ())
            yield f"| {where} | {names}{f' ({only})' if only else ''} | {', '.join(rule['verbs'])} |"


def text(objects: Iterable[Object]) -> str:
    """Return objects as YAML, for `kubectl apply -f -`."""
    return yaml.safe_dump_all(objects, sort_keys=False, width=160)


def _rendered(name: str, facts: Mapping[str, Any]) -> Objects:
    return list(yaml.safe_load_all(templates().get_template(f"suite/{name}.yaml.j2").render(facts)))


def main() -> None:
    """Print the tables of docs/live-clusters.md, for a release and a platform as they usually are."""
    for mode in MODES:
        objects = manifests(mode, scope_of(USUAL_NAMESPACE, {"domain_name": "example.com"}))
        sys.stdout.write("\n".join((f"\n### {mode}\n", *table(objects))) + "\n")


if __name__ == "__main__":
    main()
