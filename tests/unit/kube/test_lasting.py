"""What no waiting changes is told from what may heal: by statuses, by the words of a refused upgrade, and by errors of TLS."""

from __future__ import annotations

import socket
import ssl

import pytest
from urllib3.exceptions import MaxRetryError, NewConnectionError, SSLError

from apiserver.errors import NoAnswerError, explained
from support.kube.errors import ApiError, is_no_upgrade


@pytest.mark.parametrize(
    ("status", "message", "lasting"),
    [
        (401, "Unauthorized", True),
        (407, "", True),
        (403, 'pods "x" is forbidden: cannot create resource "pods/portforward"', True),
        (200, "", True),
        (301, "", True),
        (405, "", True),
        (426, "", True),
        (400, "Upgrade request required", True),
        (400, "unable to upgrade: not a websocket", True),
        (400, "pod chroma-copy does not have a host assigned", False),
        (404, 'pods "chroma-copy" not found', False),
        (500, "error dialing backend", False),
        (502, "Bad Gateway", False),
        (503, "the server is currently unable to handle the request", False),
    ],
)
def test_a_websocket_that_is_refused_for_good_is_known(status: int, message: str, lasting: bool) -> None:
    assert is_no_upgrade(ApiError(status, "", message)) == lasting


@pytest.mark.parametrize(
    ("status", "lasting"), [(401, True), (407, True), (403, False), (404, False), (500, False)]
)
def test_a_plain_request_that_is_refused_for_good_is_known(status: int, lasting: bool) -> None:
    # 403 is also what a new namespace answers until it has its service account.
    assert ApiError(status, "", "").lasting == lasting


def unverified() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "Hostname mismatch, certificate is not valid for 'x'"
    return error


def wrapped(error: Exception) -> Exception:
    """Return an error as urllib3 hands it on."""
    return MaxRetryError(None, "/", SSLError(error))  # type: ignore[arg-type]  # without a pool


@pytest.mark.parametrize(
    ("error", "told", "lasting"),
    [
        (unverified(), "its certificate is not believed: Hostname mismatch", True),
        (wrapped(unverified()), "its certificate is not believed: Hostname mismatch", True),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), "TLS fails", True),
        (ssl.SSLEOFError(8, "EOF occurred in violation of protocol"), "EOF occurred", False),
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused", False),
        (
            socket.gaierror(-2, "Name or service not known"),
            "its name has no address here (Name or service",
            False,
        ),
        (TimeoutError("timed out"), "it does not answer in time", False),
        (NoAnswerError("the proxy refuses", lasting=True), "the proxy refuses", True),
        (OSError(), "OSError", False),
    ],
)
def test_why_there_is_no_answer_is_told_in_a_line(error: Exception, told: str, lasting: bool) -> None:
    why = explained(error)
    assert str(why).startswith(told)
    assert why.lasting == lasting


def test_what_a_client_says_of_its_connections_is_left_out() -> None:
    error = NewConnectionError(None, "Failed")  # type: ignore[arg-type]  # without a pool
    error.__cause__ = ConnectionRefusedError(111, "Connection refused")
    told = str(explained(MaxRetryError(None, "/api", error)))  # type: ignore[arg-type]  # without a pool
    assert told == "Connection refused"
