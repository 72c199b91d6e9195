"""No secret leaves a run, in whatever form it travels and wherever it is told."""

import base64
import hashlib
import io
import json
import urllib.parse
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from support.core.redaction import MARK, Redactor, redacted_file
from support.kube.secrets import without_values
from tests.miniature import Miniature

TOKEN = 'tok en"/\\+é%&-0123456789'


@pytest.fixture
def redactor() -> Redactor:
    redactor = Redactor()
    redactor.learn(SecretStr(TOKEN))
    return redactor


FORMS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "JSON": json.dumps,
    "JSON with letters": lambda text: json.dumps(text, ensure_ascii=False),
    "Python": repr,
    "path": urllib.parse.quote,
    "part of a path": lambda text: urllib.parse.quote(text, safe=""),
    "query": urllib.parse.quote_plus,
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 of URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "as the gateway knows it": lambda text: hashlib.sha256(text.encode()).hexdigest(),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_secret_is_known_in_every_form(redactor: Redactor, form: Callable[[str], str]) -> None:
    assert form(TOKEN) not in redactor.text(f"before {form(TOKEN)} after")
    assert MARK in redactor.text(form(TOKEN))


@given(st.binary(max_size=20), st.text(st.characters(codec="ascii"), min_size=8), st.binary(max_size=20))
def test_a_secret_inside_of_encoded_text_is_found(before: bytes, secret: str, after: bytes) -> None:
    redactor = Redactor()
    redactor.learn(secret)
    encoded = base64.b64encode(before + secret.encode() + after).decode()
    told = redactor.text(encoded)
    # What is left of it is no more than the characters at its ends, which also depend on their neighbours.
    assert MARK in told
    assert len(told) - len(MARK) <= len(encoded) - len(secret)


def test_nothing_but_the_secret_is_taken(redactor: Redactor) -> None:
    assert redactor.text(f"before{TOKEN}after {TOKEN[:-1]}") == f"before{MARK}after {TOKEN[:-1]}"


def test_what_is_too_short_to_be_a_secret_stays() -> None:
    redactor = Redactor()
    for text in ("", "a", "admin"):
        redactor.learn(text)
    assert redactor.text("the admin said: a") == "the admin said: a"


def test_one_secret_inside_of_another_leaves_no_rest() -> None:
    redactor = Redactor()
    redactor.learn("secret-one")
    redactor.learn("secret-one-and-more")
    assert redactor.text("x secret-one-and-more y secret-one z") == f"x {MARK} y {MARK} z"


def test_private_keys_need_no_introduction() -> None:
    key = "-----BEGIN EC PRIVATE KEY-----\nMHc\n-----END EC PRIVATE KEY-----"
    assert Redactor().text(f"tls.key: {key}\n") == f"tls.key: {MARK}\n"


def test_plain_data_keeps_its_shape(redactor: Redactor) -> None:
    data = {"a": [TOKEN, 1, None, (True, TOKEN)], TOKEN: {"b": 1.5}}
    assert redactor.plain(data) == {"a": [MARK, 1, None, (True, MARK)], MARK: {"b": 1.5}}


def test_secrets_of_the_cluster_lose_their_values() -> None:
    shown = without_values(
        {
            "kind": "Secret",
            "metadata": {
                "name": "somebody-elses",
                "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{…}", "a": "b"},
            },
            "stringData": {"password": "1"},
            "data": {"tls.key": "Mg=="},
        }
    )
    assert shown == {
        "kind": "Secret",
        "metadata": {
            "name": "somebody-elses",
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": MARK, "a": "b"},
        },
        "data": {"tls.key": MARK, "password": MARK},
    }
    config = {"kind": "ConfigMap", "data": {"a": "b"}}
    assert without_values(config) == config


def test_a_file_lets_no_secret_through(redactor: Redactor) -> None:
    file = io.StringIO()
    told = redacted_file(file, redactor)
    told.write(f"the token is {TOKEN}\n")
    told.flush()
    assert file.getvalue() == f"the token is {MARK}\n"
    assert told.isatty() is False


LEAKING = """
import sys, logging, warnings

@given("a thing that knows the secret", target_fixture="secret")
def secret(inventory, pytestconfig):
    told = inventory.admin_password.get_secret_value()
    # For the test to know what to look for; it lies outside of all that a run is to leave.
    from pathlib import Path
    Path(__file__).with_name("told").write_text(told)
    return told

@when("it tells")
def tell(secret, run, pytestconfig):
    import base64
    print("printed", secret)
    print("printed", base64.b64encode(f"admin:{secret}".encode()).decode(), file=sys.stderr)
    logging.getLogger("leak").warning("logged %s", secret)
    pytestconfig.pluginmanager.get_plugin("terminalreporter").write_line(f"written {secret}")
    from support.reporting.progress import ProgressPlugin
    for plugin in pytestconfig.pluginmanager.get_plugins():
        if isinstance(plugin, ProgressPlugin):
            plugin.send(f"in progress {secret}")

@then("it fails")
def fails(secret):
    raise ValueError(f"with {secret!r}")

@then("it is skipped")
def skipped(secret):
    pytest.skip(f"because of {secret}")
"""


@pytest.mark.parametrize(
    ("source", "arguments"),
    [
        ("environment", ["-v", "-l", "-rA"]),
        ("run", ["-v", "-l", "-rA"]),
        ("run", ["-n", "1", "--full-trace"]),
        ("run", ["--tb=long", "-q"]),
    ],
)
def test_a_run_leaves_its_secret_nowhere(miniature: Miniature, arguments: list[str], source: str) -> None:
    miniature.feature(
        "leaks",
        """\
        Feature: Leaks
          Scenario: It fails
            Given a thing that knows the secret
            When it tells
            Then it fails

          Scenario: It is skipped
            Given a thing that knows the secret
            When it tells
            Then it is skipped
        """,
    )
    miniature.steps(LEAKING)
    if source == "environment":
        miniature.environ["ADMIN_PASSWORD"] = "from-the-environment"
    run = miniature.run_apart if "-n" in arguments else miniature.run
    ran = run("features/", "--junitxml", "reports/pytest.xml", *arguments)
    secret = (miniature.root / "steps" / "told").read_text()
    assert "1 failed, 1 skipped" in ran.out
    assert len(secret) >= 16
    everything = ran.out + ran.err + miniature.everything_written()
    assert everything.count(MARK) >= 5
    for form in (
        secret,
        base64.b64encode(secret.encode()).decode(),
        base64.b64encode(f"admin:{secret}".encode()).decode(),
    ):
        assert form not in everything
