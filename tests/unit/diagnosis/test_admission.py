"""What the API server says of an object is a refusal of that object, with what to do, and whether it may pass."""

from __future__ import annotations

import pytest

from support.diagnosis.causes import rejection
from support.diagnosis.findings import Cause
from support.kube.errors import ApiError

# As Kubernetes 1.34 words them.
SILENT = (
    'failed calling webhook "validate.nginx.ingress.kubernetes.io": failed to call webhook: Post '
    '"https://ingress-nginx-controller-admission.ingress-nginx.svc:443/networking/v1/ingresses?timeout=10s": '
    'service "ingress-nginx-controller-admission" not found'
)
ELSEWHERE = 'failed calling webhook "a.b": failed to call webhook: Post "https://policy.example.com/x": EOF'
DENIED = 'admission webhook "policy.example.com" denied the request: images need a digest'
QUOTA = 'pods "chroma-dry-run" is forbidden: exceeded quota: small, requested: cpu=1, used: 1, limited: 1'
SECURITY = 'pods "chroma-dry-run" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot'
RIGHT = 'services is forbidden: User "jo" cannot create resource "services" in API group ""'
PRIORITY = 'pods "x" is forbidden: no PriorityClass with name high was found'
IMMUTABLE = "spec: Forbidden: spec is immutable after creation except resources.requests for bound claims"


@pytest.mark.parametrize(
    ("error", "final", "words"),
    [
        pytest.param(
            ApiError(500, "InternalError", SILENT), False, "namespace ingress-nginx", id="no webhook"
        ),
        pytest.param(ApiError(400, "BadRequest", SILENT), False, "if its owner is gone", id="by a 400"),
        pytest.param(ApiError(500, "InternalError", ELSEWHERE), False, 'webhook "a.b"', id="no Service's"),
        pytest.param(ApiError(403, "Forbidden", DENIED), False, "policy.example.com", id="denied"),
        pytest.param(ApiError(403, "Forbidden", QUOTA), False, "kubectl describe quota", id="quota"),
        pytest.param(ApiError(403, "Forbidden", PRIORITY), False, "get priorityclass", id="priority class"),
        pytest.param(
            ApiError(403, "Forbidden", SECURITY), True, "the field that it names", id="Pod Security"
        ),
        pytest.param(ApiError(403, "Forbidden", RIGHT), True, "grant the right", id="rights"),
        pytest.param(
            ApiError(422, "Invalid", IMMUTABLE), True, "roll back with its data removed", id="claim"
        ),
        pytest.param(ApiError(429, "TooManyRequests", "slow down"), False, "turns requests away", id="429"),
        pytest.param(ApiError(500, "InternalError", "etcdserver: no leader"), False, "readyz", id="etcd"),
        pytest.param(ApiError(503, "", "upstream unavailable"), False, "readyz", id="no word of a reason"),
        pytest.param(ApiError(504, "Timeout", "request did not complete"), False, "readyz", id="timeout"),
    ],
)
def test_every_status_is_a_refusal_with_its_remedy(error: ApiError, final: bool, words: str) -> None:
    finding = rejection(error)
    assert (finding.kind, finding.terminal) == (Cause.ADMISSION, final)
    assert words in finding.remedy


def test_no_answer_is_no_refusal_of_an_object() -> None:
    with pytest.raises(ApiError):
        rejection(ApiError(0, "Unanswered", "Connection refused"))
