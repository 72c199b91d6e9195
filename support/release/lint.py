"""Says what is wrong with a release before it is deployed, from what is known of its image's version; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from support.core.component import READY
from support.release import versions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from support.kube.objects import Object
    from support.release.release import FromSecret, Release
    from support.release.versions import Authentication, Facts

# A Service of this name hands each later pod a CHROMA_PORT that is no number (docs/chroma.md#a-service-must-not-be-called-chroma).
_CLASHING: Final = "chroma"

_SAFE: Final = (
    'deploy the release "gateway" (Chroma 1.x behind a gateway that asks for the token) or "native" (0.5.23 with the names '
    "that it honours)"
)


@dataclass(frozen=True)
class Problem:
    """What is wrong, and what to do about it. `insecure`: where the release starts at all, it serves anonymous callers."""

    wrong: str
    remedy: str
    insecure: bool = False
    # What holds of which version, where that is more than one thing.
    details: tuple[str, ...] = ()

    def __str__(self) -> str:
        details = f" ({'; '.join(self.details)})" if self.details else ""
        return f"{self.wrong}{details}; {self.remedy}"

    def lines(self) -> Iterator[str]:
        """Say the same in lines that people may read."""
        yield self.wrong + (":" if self.details else "")
        yield from (f"  {detail}" for detail in self.details)
        yield f"to do: {self.remedy}"


def check(release: Release, objects: Sequence[Object] = ()) -> list[Problem]:
    """Return what is wrong with a release, and with the objects that it was rendered to where there are some.

    An image that names no version, or one of which nothing is known, is blamed for what is wrong with it in every
    version that is known.
    """
    return [
        *_access(release),
        *_image(release),
        *_secrets(release),
        *_api(release),
        *_data(release),
        *_services(objects),
    ]


def why_insecure(release: Release) -> str | None:
    """Say why a release would serve anonymous callers, None where that is not known before it is deployed."""
    return " ".join(map(str, insecurities(release))) or None


def insecurities(release: Release) -> list[Problem]:
    """Return what lets a release serve anonymous callers, as far as that is known before it is deployed."""
    return [problem for problem in check(release) if problem.insecure]


def _access(release: Release) -> Iterator[Problem]:
    if release.gateway:
        return
    candidates = versions.candidates(release.chroma.image)
    flaws = {facts: _flaw(facts, release.chroma.environment) for facts in candidates}
    if all(flaws.values()):
        yield Problem(
            f"with this environment {release.chroma.image} asks nobody for a token as it is documented",
            _SAFE,
            insecure=any(flaw.insecure for flaw in flaws.values() if flaw),
            details=_of_versions({facts: flaw.words for facts, flaw in flaws.items() if flaw}),
        )


@dataclass(frozen=True)
class _Flaw:
    words: str
    insecure: bool = False


def _flaw(facts: Facts, environment: Mapping[str, str | FromSecret]) -> _Flaw | None:
    """Say why a version does not ask for the token, or not in the documented header; None where it does."""
    names = facts.authentication
    if names is None:
        return _Flaw("open, since it knows no authentication and ignores all variables for it", insecure=True)
    provider, header = environment.get(names.provider), environment.get(names.header_variable)
    flaws = (
        (provider is None, _Flaw(f"open without {names.provider}{_dead(names, environment)}", insecure=True)),
        (
            provider != names.provider_value,
            _Flaw(f"asks for something else unless {names.provider} is {names.provider_value}"),
        ),
        (names.credentials not in environment, _Flaw(f"does not start without {names.credentials}")),
        (header is None, _Flaw(f"looks in another header for the token without {names.header_variable}")),
        (
            header != names.header,
            _Flaw(f"does not start unless {names.header_variable} is spelled {names.header}"),
        ),
    )
    return next((flaw for applies, flaw in flaws if applies), None)


def _dead(names: Authentication, environment: Mapping[str, str | FromSecret]) -> str:
    """Name the variables that look as if they asked for a token, and which this version ignores."""
    alive = {names.provider, names.credentials, names.header_variable}
    dead = [name for name in environment if "_AUTH" in name and name not in alive]
    return f", since it ignores {', '.join(dead)}" if dead else ""


def _image(release: Release) -> Iterator[Problem]:
    image = release.chroma.image
    if versions.number(image) is None:
        yield Problem(
            f"{image} says no version: what it is changes with every push, and a volume moves with it for good",
            "name a version, such as chroma:1.5.9",
        )
    elif versions.facts(image) is None:
        yield Problem(
            f"nothing is known of the version of {image}",
            f"choose one of {', '.join(map(str, versions.KNOWN))}, or measure it and add it to support/release/versions.py",
        )


def _secrets(release: Release) -> Iterator[Problem]:
    for name, value in release.chroma.environment.items():
        if name.endswith("_CREDENTIALS") and isinstance(value, str):
            yield Problem(
                f"{name} stands in the release for all to read",
                "take it from the Secret: {secret: chroma-auth, key: auth-token}",
            )


def _api(release: Release) -> Iterator[Problem]:
    candidates = versions.candidates(release.chroma.image)
    for name, path in (("readiness", release.ready_at), ("liveness", release.chroma.liveness.path)):
        api = path.removeprefix("/api/").partition("/")[0]
        asks_keeper = path == READY and release.keeper
        if not asks_keeper and not any(api in facts.api for facts in candidates):
            known = sorted({one for facts in candidates for one in facts.api})
            yield Problem(
                f"the {name} probe asks at {path}, which {release.chroma.image} does not answer well",
                f"ask at {' or '.join(f'/api/{one}/heartbeat' for one in known)}",
            )


def _data(release: Release) -> Iterator[Problem]:
    candidates = versions.candidates(release.chroma.image)
    places = {facts: _place(facts, release.chroma.environment) for facts in candidates}
    astray = {facts: place for facts, place in places.items() if place != release.chroma.data}
    if astray:
        places_by_version = "; ".join(_of_versions(astray))
        variables = sorted({facts.data_variable for facts in candidates if facts.data_variable})
        move = f", or set {' or '.join(variables)} to {release.chroma.data}" if variables else ""
        yield Problem(
            f"the claim is mounted at {release.chroma.data}, but Chroma writes elsewhere ({places_by_version}): what lies there is lost with the pod",
            f"mount it where Chroma writes{move}",
        )


def _place(facts: Facts, environment: Mapping[str, str | FromSecret]) -> str:
    return str(environment.get(facts.data_variable, facts.data)) if facts.data_variable else facts.data


def _of_versions(words: Mapping[Facts, str]) -> tuple[str, ...]:
    """Say what is found in each version, once for those in which the same is found."""
    alike: dict[str, list[str]] = {}
    for facts, what in words.items():
        alike.setdefault(what, []).append(str(facts))
    return tuple(f"{', '.join(which)}: {what}" for what, which in alike.items())


def _services(objects: Sequence[Object]) -> Iterator[Problem]:
    for obj in objects:
        if obj["kind"] == "Service" and obj["metadata"]["name"] == _CLASHING and _has_links(objects):
            yield Problem(
                "a Service named chroma hands the next pod a CHROMA_PORT that is no number, and Chroma ends at its start",
                "give the Service another name, such as chromadb-svc, or the pod enableServiceLinks: false",
            )


def _has_links(objects: Sequence[Object]) -> bool:
    return any(_pod(obj).get("enableServiceLinks", True) for obj in objects if obj["kind"] == "StatefulSet")


def _pod(statefulset: Object) -> Object:
    spec: Object = statefulset["spec"]["template"]["spec"]
    return spec
