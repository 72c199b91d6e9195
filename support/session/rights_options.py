"""The options about who asks a cluster, and with which rights."""

from __future__ import annotations

from argparse import ArgumentTypeError
from typing import TYPE_CHECKING, Any

from support.core.validation import unknown
from support.platform.rights import MODES

if TYPE_CHECKING:
    from collections.abc import Callable


def declare_platform(add: Callable[..., Any]) -> None:
    """Declare as whom scenarios play others."""
    add(
        "--platform-kubeconfig",
        metavar="FILE",
        help="the kubeconfig with which scenarios play others: another operator, the platform "
        "(default: that of --kubeconfig, where its rights suffice)",
    )


def declare_rights(add: Callable[..., Any]) -> None:
    """Declare the command that prints the suite's rights."""
    add(
        "--rights",
        metavar="MODE",
        type=_mode,
        help=f"print the account and the rights that a mode takes ({', '.join(MODES)}), for `kubectl apply -f -`; asks no cluster",
    )


def _mode(word: str) -> str:
    if word not in MODES:
        raise ArgumentTypeError(f"{word}: {unknown(word, MODES)}")
    return word
