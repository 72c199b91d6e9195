"""Looks for a release as the platform does, in all namespaces, and says what is wrong with how it is announced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import yaml

from support.core.promises import PromiseBroken
from support.core.redaction import Redactor
from support.deploy.objects import ANNOUNCEMENT
from support.kube.secrets import decoded
from support.network import http
from support.network.way import Way, tls_context
from support.platform import discovery
from support.platform.discovery import NotValidError
from support.release.render import VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.deploy.live import Live
    from support.deploy.namespace import Namespace
    from support.deploy.results import Rollout
    from support.kube.objects import Objects
    from support.network.http import Response
    from support.platform.discovery import Endpoint, Entry, Variable

# Of what Secrets hold, that which is no secret: names and certificates are shown to everybody.
_OPEN: Final = {"admin-username", "tls.crt", "ca.crt"}
_TOKEN: Final = "CHROMA_AUTH_TOKEN"  # noqa: S105 - the name of a variable


def look(namespace: Namespace) -> Objects:
    """Return what the platform finds when it looks for services, of what is in a namespace."""
    return namespace.kube.list("ConfigMap", namespace.name, discovery.SELECTOR)


def entry_of(namespace: Namespace) -> Entry:
    """Return the entry of what lives in a namespace, as the platform finds it; an AssertionError when there is none."""
    return find(look(namespace), namespace)


def find(found: Objects, namespace: Namespace) -> Entry:
    """Return a namespace's entry among what the platform has found; an AssertionError that says why there is none."""
    try:
        return discovery.entry_in(found, namespace.name)
    except NotValidError as error:
        raise AssertionError(f"the platform does not find the release: {error}") from None


def assert_says(found: Objects, namespace: Namespace, table: Sequence[Sequence[str]]) -> None:
    """Assert that an entry says what a table has: a path of names, and the value in YAML.

    A value may speak of the {namespace}, its {host} and the component's {version}.
    """
    find(found, namespace)
    (configmap,) = [one for one in found if _is_of(one, namespace)]
    said = discovery.document(configmap)["service"]
    facts = _facts(namespace)
    promised = {path: yaml.safe_load(value.format_map(facts)) for path, value in table}
    wrong = [
        f"{path}: promised {value!r}, seen {_at(said, path)!r}"
        for path, value in promised.items()
        if _at(said, path) != value
    ]
    assert not wrong, "the entry is not what the platform expects: " + "; ".join(wrong)


def assert_labelled(found: Objects, namespace: Namespace, table: Sequence[Sequence[str]]) -> None:
    """Assert that an entry carries the labels of a table, whose values may speak of the same facts."""
    labels, facts = find(found, namespace).labels, _facts(namespace)
    wrong = [
        f"{name}: promised {value.format_map(facts)!r}, seen {labels.get(name)!r}"
        for name, value in table
        if labels.get(name) != value.format_map(facts)
    ]
    assert not wrong, "the entry is not labelled as the platform expects: " + "; ".join(wrong)


def assert_unknown(namespace: Namespace) -> None:
    """Assert that the platform finds nothing of a namespace, and so takes it for not installed."""
    left = [
        one["metadata"]["name"] for one in look(namespace) if one["metadata"]["namespace"] == namespace.name
    ]
    assert not left, f"the platform still finds the release: ConfigMap {', '.join(left)}"


def assert_announcement_unchanged(rollout: Rollout) -> None:
    """Assert that a rollout has left what the platform reads of the release as it was, down to its version."""
    assert " ".join(ANNOUNCEMENT) not in rollout.changed, f"the platform learned something new: {rollout}"


def ask_for_health(namespace: Namespace) -> Response:
    """Ask the primary endpoint's health address as the platform does, without a token."""
    endpoint = _primary(entry_of(namespace))
    address = urlsplit(endpoint.health_url or endpoint.url)
    way = Way("ingress", f"{address.scheme}://{address.netloc}", tls_context(namespace.inventory.ca_bundle))
    return http.ask(way, "GET", address.path or "/")


def assert_healthy(response: Response) -> None:
    """Assert that the platform takes an answer for that of a service in health."""
    if not discovery.is_healthy(response.status):
        raise PromiseBroken(
            "healthy", f"the platform takes the release for ill: {response}", response.symptom
        )


def assert_heartbeat(response: Response) -> None:
    """Assert that an answer is a heartbeat. The platform's own rule overlooks that the address is a wrong one, which asks for a token."""
    if response.status != 200 or b"nanosecond heartbeat" not in response.body:
        raise PromiseBroken("the heartbeat", f"no heartbeat: {response}", response.symptom)


def assert_nothing_secret_shown(live: Live) -> None:
    """Assert that no ConfigMap of a namespace holds the value of a Secret there, in whatever form values travel."""
    kube, name = live.kube, live.namespace
    configmaps = kube.list("ConfigMap", name)
    shown = []
    for secret in kube.list("Secret", name):
        for key, value in decoded(secret).items():
            redactor = Redactor()
            redactor.learn(value)
            if key not in _OPEN:
                shown += [
                    f"ConfigMap {one['metadata']['name']} shows {key} of Secret {secret['metadata']['name']}"
                    for one in configmaps
                    if redactor.plain(one.get("data")) != one.get("data")
                ]
    assert not shown, "; ".join(shown)


def assert_names_secret(home: Namespace, live: Live) -> None:
    """Assert that an entry names the Secret that holds the token, and that it does hold it."""
    variable = _token(entry_of(home))
    named = variable.value_from
    assert variable.value is None, f"the entry shows a value of {_TOKEN}"
    assert named, f"the entry names no Secret for {_TOKEN}"
    secret = live.kube.get("Secret", named.secret, live.namespace) or {}
    held = decoded(secret).get(named.key)
    assert held == live.token.get_secret_value(), f"{named.key} of Secret {named.secret} is not the token"


def assert_shows_token(home: Namespace, live: Live) -> None:
    """Assert that an entry gives the token as the documented component does, to everybody who may read it."""
    shown = _token(entry_of(home)).value == live.token.get_secret_value()
    assert shown, f"the entry does not give the token as the value of {_TOKEN}"


def _token(entry: Entry) -> Variable:
    found = [one for one in entry.service.environment_variables if one.name == _TOKEN]
    assert found, f"the entry has no {_TOKEN}"
    return found[0]


def _primary(entry: Entry) -> Endpoint:
    endpoint = entry.service.primary()
    assert endpoint, "the entry has no primary endpoint, so the platform cannot judge the release's health"
    return endpoint


def _is_of(configmap: dict[str, Any], namespace: Namespace) -> bool:
    metadata = configmap["metadata"]
    return metadata["namespace"] == namespace.name and discovery.KEY in (configmap.get("data") or {})


def _facts(namespace: Namespace) -> dict[str, str]:
    return {
        "namespace": namespace.name,
        "host": namespace.host,
        "version": VERSION.read_text(encoding="utf-8").strip(),
    }


def _at(said: Any, path: str) -> Any:
    """Return what stands at a path of names, where an item of a list goes by its `name`; None where nothing does."""
    for name in path.split("."):
        if isinstance(said, list):
            said = {one.get("name"): one for one in said if isinstance(one, dict)}
        said = said.get(name) if isinstance(said, dict) else None
    return said
