"""Says what the API server's refusal of an object means, whether it may pass by itself, and what to do; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from support.kube.errors import ApiError

# HTTP statuses by which an object itself is judged: malformed, too large, of a field that another manager owns,
# invalid. Asking once more brings the same answer.
_FINAL: Final = {400, 401, 405, 409, 413, 415, 422}
# Of a 403, what only the operator or a grant of rights can change.
_FORBIDDEN_FOR_GOOD: Final = re.compile(r'violates PodSecurity|: User ".*" cannot ')

# How the API server tells that a webhook gave no answer, and that one said no (measured on 1.34).
_UNANSWERED: Final = re.compile(r'failed calling webhook "(?P<webhook>[^"]+)"')
_DENIED: Final = re.compile(r'admission webhook "(?P<webhook>[^"]+)" denied the request')
_NO_DRY_RUN: Final = re.compile(r'admission webhook "(?P<webhook>[^"]+)" does not support dry run')
_SERVICE: Final = re.compile(r"https://(?P<service>[a-z0-9-]+)\.(?P<namespace>[a-z0-9-]+)\.svc[:/]")

_CONFIGURATIONS: Final = "kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations"

# What to do, by what the refusal's message says; the first that is found counts.
_ADVICE: Final = {
    r"spec is immutable after creation": (
        "keep the claim's class and size, or roll back with its data removed and apply again"
    ),
    r"updates to statefulset spec": "roll back, which keeps the data, and apply again",
    r"can not be less than": (
        "keep the claim's size (--set claim.size=…) and apply again, or back its data up (--backup), remove it with the release (--remove --remove-data), and restore it (--restore)"
    ),
    r"Apply failed with": "let the manager that it names give the field up, or take over their value",
    r"exceeded quota: (\S+?),": "ask for less, or free some of it: kubectl describe quota",
    r"no PriorityClass with name": "name one of `kubectl get priorityclass`, or let an administrator create it",
    r"(maximum|minimum) \S+ usage per|limit to request ratio": (
        "keep within what `kubectl describe limitrange` allows, or let an administrator widen it"
    ),
    r'User ".*" cannot ': "let an administrator grant the right that it names",
}
_BUSY: Final = "the API server turns requests away for now: try again, and see what keeps it busy"
_TROUBLED: Final = "see whether the API server is well (`kubectl get --raw '/readyz?verbose'`), and try again"


def is_final(status: int, message: str) -> bool:
    """Whether nobody but the operator can change what was refused.

    A webhook may come back, a quota be given back, a class be created: such a refusal has to last before it counts.
    """
    if status == 403:
        return is_denied_for_good(message)
    return status in _FINAL and not _UNANSWERED.search(message)


def is_denied_for_good(message: str) -> bool:
    """Whether a pod was forbidden for what only the operator or a grant of rights can change."""
    return bool(_FORBIDDEN_FOR_GOOD.search(message))


def is_unanswered_webhook(error: ApiError) -> bool:
    """Whether a webhook that must be asked gave no answer: it would be the same in any namespace that it is meant for."""
    return bool(_UNANSWERED.search(error.message))


def is_undecided(error: ApiError) -> bool:
    """Whether only a dry run was refused: a webhook that has side effects is never asked in one."""
    return bool(_NO_DRY_RUN.search(error.message))


def advice(message: str, status: int = 0) -> str | None:
    """Return what to do about a refusal; None where the cause's usual remedy says it."""
    if silent := _UNANSWERED.search(message):
        return _of_silent_webhook(silent["webhook"], message)
    if denied := _DENIED.search(message):
        return (
            f'change what webhook "{denied["webhook"]}" objects to, or ask who runs it '
            f"({_CONFIGURATIONS} name it)"
        )
    for sign, advice in _ADVICE.items():
        if re.search(sign, message):
            return advice
    if status == 429:
        return _BUSY
    return _TROUBLED if status >= 500 else None


def _of_silent_webhook(webhook: str, message: str) -> str:
    """Say which Service a webhook that gave no answer is behind, and what to do about it."""
    behind = _SERVICE.search(message)
    if not behind:
        words = f'webhook "{webhook}" gave no answer: see whether what it is behind runs'
    else:
        service, namespace = behind["service"], behind["namespace"]
        words = (
            f'webhook "{webhook}" gave no answer: see whether Service {service} in namespace {namespace} has '
            f"endpoints (`kubectl -n {namespace} get endpointslices -l kubernetes.io/service-name={service}`)"
        )
    return f"{words}; if its owner is gone, remove the configuration that names it ({_CONFIGURATIONS})"
