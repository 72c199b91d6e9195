"""Nobody may do more than its role says, and nobody but the administrator may do everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from tests.live.cluster.ask import ask_api
from tests.live.cluster.commands import run

if TYPE_CHECKING:
    from cluster.layout import Layout
    from cluster.provider import Access
    from tests.live.cluster.place import Place

SECRETS = "/api/v1/secrets"
REVIEW = "/apis/authentication.k8s.io/v1/selfsubjectreviews"


@pytest.fixture
def token(cluster: Access, place: Place) -> str:
    """A token of an ordinary service account, as a pod has it."""
    return run(
        "kubectl", "--cluster", cluster.name, "--", "create", "token", "default", f"--namespace={place.name}"
    ).stdout.strip()


def test_nobody_may_read_secrets(cluster: Access) -> None:
    status, said = ask_api(cluster, "GET", SECRETS)
    assert (status, "system:anonymous" in said["message"]) == (403, True), said


def test_a_service_account_may_not_read_secrets(cluster: Access, token: str) -> None:
    status, said = ask_api(cluster, "GET", SECRETS, token=token)
    assert (status, "system:serviceaccount:" in said["message"]) == (403, True), said


def test_a_service_account_is_no_administrator(cluster: Access, token: str, place: Place) -> None:
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    _, said = ask_api(cluster, "POST", REVIEW, token=token, body=review)
    assert set(said["status"]["userInfo"]["groups"]) == {
        "system:serviceaccounts",
        f"system:serviceaccounts:{place.name}",
        "system:authenticated",
    }


def test_a_token_that_the_cluster_has_not_signed_is_refused(cluster: Access, token: str) -> None:
    head, claims, signature = token.split(".")
    forged = ".".join([head, claims, signature[::-1]])
    assert ask_api(cluster, "GET", "/api", token=forged)[0] == 401


def test_a_granted_right_is_the_only_one(cluster: Access, token: str, place: Place) -> None:
    """The other side of the refusals: what a role grants is allowed, in its namespace alone."""
    kubectl = ("kubectl", "--cluster", cluster.name, "--", f"--namespace={place.name}")
    run(
        *kubectl,
        "create",
        "rolebinding",
        "reader",
        "--clusterrole=view",
        f"--serviceaccount={place.name}:default",
    )
    seen = {
        path: ask_api(cluster, "GET", path, token=token)[0]
        for path in (f"/api/v1/namespaces/{place.name}/pods", "/api/v1/namespaces/kube-system/pods")
    }
    assert list(seen.values()) == [200, 403], seen


def test_only_the_administrator_is_a_master(files: Layout) -> None:
    masters = []
    for file in files.pki.glob("*.crt"):
        subject = x509.load_pem_x509_certificate(file.read_bytes()).subject
        if any(
            fact.value == "system:masters"
            for fact in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        ):
            masters.append(file.stem)
    assert masters == ["admin"]


def test_keys_are_for_root_alone(files: Layout) -> None:
    private = [*files.pki.glob("*.key"), files.kubeconfig]
    assert {file.name: file.stat().st_mode & 0o077 for file in private if file.stat().st_mode & 0o077} == {}


def test_a_kubelet_may_not_read_secrets_of_others_pods(cluster: Access, files: Layout) -> None:
    kubelet = (files.pki / "kubelet.crt", files.pki / "kubelet.key")
    secret = "/api/v1/namespaces/default/secrets/example-com-tls"
    status, said = ask_api(cluster, "GET", secret, certificate=kubelet)
    assert (status, "no relationship found" in said["message"]) == (403, True), said


def test_a_kubelet_may_not_give_its_node_any_label(cluster: Access, files: Layout) -> None:
    kubelet = (files.pki / "kubelet.crt", files.pki / "kubelet.key")
    label = {"metadata": {"labels": {"node-restriction.kubernetes.io/trusted": "yes"}}}
    status, said = ask_api(cluster, "PATCH", "/api/v1/nodes/n1", certificate=kubelet, body=label)
    assert (status, "is not allowed to modify labels" in said["message"]) == (403, True), said
