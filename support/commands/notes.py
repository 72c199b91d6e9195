"""Tells how a live release is used: where it answers, what it wants to see, and examples to paste; never the token itself."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from textwrap import dedent
from typing import TYPE_CHECKING, Final

from support.core.component import (
    AUTH_KEY,
    AUTH_SECRET,
    COLLECTION,
    DEFAULT_DATABASE,
    SERVICE,
    TENANT,
    TOKEN_HEADER,
)
from support.release import versions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.commands.call import Call
    from support.deploy.live import Live

# Where the token lies for those who may read it (docs/platform.md#objects); the environment is how the documentation hands it on.
_VARIABLE: Final = "ADMIN_PASSWORD"

# Of a release that was live before a run, which has shown how it is used when it was deployed.
SHORT: Final = "as before this run; `pytest --notes`, with the options of this run, shows it"

# What they print.
_ANSWER: Final = "Ferns unfold in the shade."

# The token goes through curl's standard input: who lists processes sees what stands in the command line.
_BASH: Final = """
    ask() {{
      curl{resolve} --silent --show-error --fail-with-body --header @- --header 'Content-Type: application/json' "$@" \\
        <<<"{header}: ${variable}"
    }}
    all={url}/api/v2/tenants/{tenant}/databases/{database}/collections
    id=$(ask "$all" --data '{{"name": "{collection}", "get_or_create": true}}' | grep -o '"id": *"[^"]*"' | cut -d '"' -f 4)
    ask "$all/$id/add" --data '{{
      "ids": ["fern", "owl"], "embeddings": [[1, 0], [0, 1]],
      "documents": ["{answer}", "Owls hunt at night."]
    }}'
    ask "$all/$id/query" --data '{{"query_embeddings": [[0.9, 0.1]], "n_results": 1, "include": ["documents"]}}'
    ask --request DELETE "$all/{collection}"
"""
_PYTHON: Final = """
    import os

    import chromadb
    from chromadb.config import Settings

    client = chromadb.HttpClient(
        host="{host}", port=443, ssl=True,
        headers={{"{header}": os.environ["{variable}"]}},
        settings=Settings(anonymized_telemetry=False),
    )
    notes = client.get_or_create_collection("{collection}", embedding_function=None)
    notes.add(
        ids=["fern", "owl"], embeddings=[[1.0, 0.0], [0.0, 1.0]],
        documents=["{answer}", "Owls hunt at night."],
    )
    print(notes.query(query_embeddings=[[0.9, 0.1]], n_results=1)["documents"])
    client.delete_collection("{collection}")
"""


def run(call: Call) -> int:
    """Say how the live release is used; raises `NotLive` where none is live."""
    for line in notes_of(call.namespace.prove_live(note=False)).lines():
        call.say(line)
    return 0


@dataclass(frozen=True)
class Example:
    """A text to paste where its language is spoken, and what it prints among other things."""

    language: str
    text: str
    answer: str


@dataclass(frozen=True)
class Notes:
    """How a live release is used.

    `outside` and `inside` are its addresses for users and for neighbours in the cluster; `interfaces` the versions of its
    interface ("v2"); `secret` the namespace, name and key that hold the token, and `header` what shows it.
    """

    title: str
    outside: str
    inside: str
    interfaces: tuple[str, ...]
    header: str
    secret: tuple[str, str, str]
    examples: tuple[Example, ...]
    # What a machine needs on which the inventory says so: the host's address, and the file of the authority.
    address: str | None = None
    authority: str | None = None

    def example(self, language: str) -> Example:
        """Return the example in a language."""
        return next(one for one in self.examples if one.language == language)

    def lines(self) -> Iterator[str]:
        """Tell all of it, a line each, for people; who pastes an example has the token in the environment."""
        namespace, name, key = self.secret
        yield self.title
        yield f"  from outside:            {self.outside}"
        yield f"  from inside the cluster: {self.inside}"
        yield f"  interface:               {', '.join(f'API {one}' for one in self.interfaces)}"
        yield f"  authentication:          the token, in the header {self.header}"
        yield f"  the token:               Secret {namespace}/{name}, key {key}:"
        yield (
            f"    export {_VARIABLE}=$(kubectl get secret {name} -n {namespace} "
            f"-o jsonpath='{{.data.{key}}}' | base64 -d)"
        )
        if self.address:
            yield (
                f"  address:                 {self.address}; curl is told it below, Python takes it from DNS or /etc/hosts"
            )
        if self.authority:
            yield f"  authority:               export SSL_CERT_FILE={self.authority} CURL_CA_BUNDLE={self.authority}"
        for example in self.examples:
            yield f"  in {example.language}, with {_VARIABLE} in the environment:"
            # Flush left: Python takes no other first line.
            yield from ("", *example.text.splitlines(), "")


def _resolved(host: str, address: str | None) -> str:
    """Return the option by which curl finds a host that DNS does not name: by an address, or by the name of another host."""
    if not address:
        return ""
    try:
        version = ip_address(address).version
    except ValueError:
        return f" --connect-to {host}:443:{address}:443"
    return f" --resolve {host}:443:{f'[{address}]' if version == 6 else address}"


def notes_of(live: Live) -> Notes:
    """Return how a live release is used."""
    facts = versions.facts(live.release.chroma.image)
    url = f"https://{live.host}"
    values = {
        "host": live.host,
        "url": url,
        "header": TOKEN_HEADER,
        "variable": _VARIABLE,
        "tenant": TENANT,
        "database": DEFAULT_DATABASE,
        "collection": COLLECTION,
        "answer": _ANSWER,
        "resolve": _resolved(live.host, live.inventory.ingress_address),
    }
    return Notes(
        title=f'release "{live.release.name}": {live.release.title}',
        outside=url,
        inside=f"http://{live.inventory.inside(SERVICE, live.namespace)}",
        interfaces=facts.api if facts else (),
        header=TOKEN_HEADER,
        secret=(live.namespace, AUTH_SECRET, AUTH_KEY),
        examples=tuple(
            Example(language, dedent(text).strip().format(**values) + "\n", _ANSWER)
            for language, text in (("bash", _BASH), ("Python", _PYTHON))
        ),
        address=live.inventory.ingress_address,
        authority=str(live.inventory.ca_bundle) if live.inventory.ca_bundle else None,
    )
