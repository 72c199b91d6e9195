"""An inventory is right as a whole, or everything that is wrong with it is said at once."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from trustme import CA

from support.platform.inventory import _PATHS, Inventory, InventoryError, exposure_of

TOKEN = "correct-horse-battery"


@pytest.fixture
def given(tmp_path: Path) -> dict[str, Any]:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.touch()
    return {
        "domain_name": "example.com",
        "admin_username": "tkadmin",
        "primary_ingress_class": "nginx",
        "kubeconfig": kubeconfig,
        "context": None,
        "harbor_registry": "harbor.example.com",
        "vantage_image": "harbor.example.com/library/probe:1",
    }


def load(given: dict[str, Any], file: Path | None = None, **environ: str) -> Inventory:
    return Inventory.load(file, given, {"ADMIN_PASSWORD": TOKEN, **environ})


def complaint(given: dict[str, Any], file: Path | None = None, **environ: str) -> str:
    with pytest.raises(InventoryError) as raised:
        load(given, file, **environ)
    # pydantic's own error shows values.
    assert raised.value.__context__ is None
    return str(raised.value)


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "inventory.yaml"
    file.write_text(text)
    return file


def test_the_environment_overrides_the_file_and_the_file_what_was_given(
    given: dict[str, Any], tmp_path: Path
) -> None:
    file = written(tmp_path, "domain_name: file.example\nadmin_username: file\n")
    inventory = load(given, file, ADMIN_USERNAME="environment")
    assert inventory.domain_name == "file.example"
    assert inventory.admin_username == "environment"
    assert inventory.primary_ingress_class == "nginx"
    assert inventory.library_project == "library"


def test_the_environment_never_says_which_cluster(given: dict[str, Any], tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.touch()
    inventory = load(given, KUBECONFIG=str(other), CONTEXT="production")
    assert inventory.kubeconfig == given["kubeconfig"]
    assert inventory.context is None


def test_the_file_does_not_override_the_providers_cluster(given: dict[str, Any], tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.touch()
    inventory = load(given, written(tmp_path, f"kubeconfig: {other}\ncontext: production\n"))
    assert inventory.kubeconfig == given["kubeconfig"]
    assert inventory.context is None


def test_everything_is_said_at_once(given: dict[str, Any], tmp_path: Path) -> None:
    del given["admin_username"], given["kubeconfig"]
    file = written(tmp_path, "domain_nam: example.com\nprimary_ingress_class: 7\n")
    text = complaint(
        given, file, DOMAIN_NAME="https://example.com", INGRESS_ADDRESS="local host", ADMIN_PASSWORD=""
    )
    assert text.splitlines() == [
        "the inventory is incomplete or wrong:",
        "  DOMAIN_NAME in the environment: is not a DNS name; give the platform's domain, such as example.com",
        (
            "  admin_username: missing; give the platform's administrator, such as tkadmin, "
            "in the inventory file or as ADMIN_USERNAME in the environment"
        ),
        (
            f"  primary_ingress_class in {file}: Input should be a valid string; "
            "give a class that `kubectl get ingressclass` lists, such as nginx"
        ),
        "  kubeconfig: missing; give the path of the cluster's kubeconfig, in the inventory file",
        (
            "  ADMIN_PASSWORD: is empty; "
            "export ADMIN_PASSWORD with at least 16 printable ASCII characters and no blank at its ends"
        ),
        (
            "  INGRESS_ADDRESS in the environment: is neither an IP address nor the name of a host; "
            "give the IP address or the name of the ingress, or leave it out to resolve the host's name"
        ),
        f"  domain_nam in {file}: unknown; did you mean domain_name?",
    ]


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("", "is empty"),
        ("fifteen-letters", "is shorter than 16 characters"),
        (" correct-horse-battery", "begins or ends with a blank"),
        ("correct-horse-battery ", "begins or ends with a blank"),
        ("correct-horse-battery\n", "holds a character that is not printable ASCII"),
        ("correct\thorse-battery", "holds a character that is not printable ASCII"),
        ("correct-hörse-battery", "holds a character that is not printable ASCII"),
    ],
)
def test_a_token_that_http_would_alter_is_refused(given: dict[str, Any], token: str, reason: str) -> None:
    text = complaint(given, ADMIN_PASSWORD=token)
    assert f"ADMIN_PASSWORD: {reason}; export" in text
    assert not token or token not in text


@pytest.mark.parametrize("token", ["sixteen-letters!", "with blanks and \"quotes' $in `it\\", "~" * 72])
def test_any_other_token_is_taken(given: dict[str, Any], token: str) -> None:
    assert load(given, ADMIN_PASSWORD=token).admin_password.get_secret_value() == token


def test_a_missing_password_is_said(given: dict[str, Any]) -> None:
    with pytest.raises(InventoryError, match="ADMIN_PASSWORD: missing; export ADMIN_PASSWORD"):
        Inventory.load(None, given, {})


@pytest.mark.parametrize("name", ["admin_password", "ADMIN_PASSWORD"])
def test_a_password_in_the_file_is_refused_unseen(given: dict[str, Any], tmp_path: Path, name: str) -> None:
    file = written(tmp_path, f"{name}: written-down-for-all\n")
    text = complaint(given, file)
    assert f"admin_password must not stand in {file}: take it out, and export" in text
    assert "written-down-for-all" not in text


@pytest.mark.parametrize(
    ("field", "problems"),
    [
        ("domain_name", "Example.com"),
        ("domain_name", "example..com"),
        ("domain_name", "example.com."),
        ("domain_name", ""),
        ("admin_username", "tk admin"),
        ("primary_ingress_class", "Nginx"),
        ("harbor_registry", "https://harbor.example.com"),
        ("harbor_registry", "harbor.example.com/library"),
        ("library_project", "/library"),
        ("storage_class_name", "k8s_hostpath"),
        ("ingress_address", "10.0.0"),
        ("ingress_address", "https://balancer.example.com"),
        ("ingress_address", "Balancer.example.com:443"),
        ("ca_bundle", "/no/such/file"),
        ("kubeconfig", "/no/such/file"),
        ("vantage_image", ""),
    ],
)
def test_a_value_that_cannot_be_is_refused(given: dict[str, Any], field: str, problems: str) -> None:
    lines = complaint({**given, field: problems}).splitlines()
    assert len(lines) == 2
    assert lines[1].startswith(f"  {field}: ")
    assert "; give " in lines[1]


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("a: [", "is not YAML: "),
        ("- domain_name", "must be a mapping of names to values"),
    ],
)
def test_a_file_that_is_no_inventory_is_said(
    given: dict[str, Any], tmp_path: Path, text: str, problems: str
) -> None:
    file = written(tmp_path, text)
    assert f"  {file} {problems}" in complaint(given, file)


def test_a_file_that_is_not_there_is_said(given: dict[str, Any], tmp_path: Path) -> None:
    assert "cannot be read: No such file or directory" in complaint(given, tmp_path / "absent.yaml")


def test_the_password_is_never_shown(given: dict[str, Any]) -> None:
    inventory = load(given)
    assert TOKEN not in f"{inventory} {inventory!r} {inventory.model_dump()} {inventory.model_dump_json()}"


def test_what_is_wrong_by_itself_is_told_with_what_is_wrong_on_the_cluster(given: dict[str, Any]) -> None:
    shown: list[Mapping[str, Any]] = []

    def check(stated: Mapping[str, Any]) -> list[str]:
        shown.append(stated)
        return ["primary_ingress_class: the cluster has no nginx"]

    given["domain_name"], given["nonsense"] = "not a name", "x"
    with pytest.raises(InventoryError) as raised:
        Inventory.load(None, given, {"ADMIN_PASSWORD": ""}, check)
    assert [line.split(":")[0] for line in raised.value.problems] == [
        "domain_name",
        "ADMIN_PASSWORD",
        "nonsense",
        "primary_ingress_class",
    ]
    # Only what is right as such is shown, with the defaults of what is not stated.
    assert shown[0]["primary_ingress_class"] == "nginx"
    assert shown[0]["storage_class_name"] == "k8s-hostpath"
    assert not {"domain_name", "admin_password", "nonsense"} & shown[0].keys()


def test_an_inventory_that_does_not_fit_the_cluster_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(InventoryError, match="storage_class_name: the cluster has no"):
        Inventory.load(
            None, given, {"ADMIN_PASSWORD": TOKEN}, lambda _: ["storage_class_name: the cluster has no x"]
        )


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1", "balancer.example.com", "localhost"])
def test_the_ingress_is_given_by_its_address_or_its_name(given: dict[str, Any], address: str) -> None:
    assert load({**given, "ingress_address": address}).ingress_address == address


# Paths


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an authority's certificate, beside the one where the run is called."""
    called = tmp_path / "called"
    called.mkdir()
    monkeypatch.chdir(called)
    folder = tmp_path / "there"
    folder.mkdir()
    CA().cert_pem.write_to_path(folder / "authority.pem")
    return folder


@pytest.mark.parametrize("path", ["authority.pem", "./authority.pem", "../there/authority.pem"])
def test_a_path_in_the_file_is_relative_to_the_file(given: dict[str, Any], there: Path, path: str) -> None:
    inventory = load(given, written(there, f"ca_bundle: {path}\n"))
    assert inventory.ca_bundle
    assert inventory.ca_bundle.samefile(there / "authority.pem")


def test_the_file_may_be_named_from_where_the_run_is_called(given: dict[str, Any], there: Path) -> None:
    written(there, "ca_bundle: authority.pem\n")
    inventory = load(given, Path("../there/inventory.yaml"))
    assert inventory.ca_bundle
    assert inventory.ca_bundle.samefile(there / "authority.pem")


def test_the_kubeconfig_that_the_file_states_is_relative_to_it_as_well(
    given: dict[str, Any], there: Path
) -> None:
    del given["kubeconfig"]
    (there / "config").touch()
    inventory = load(given, written(there, "kubeconfig: config\n"))
    assert inventory.kubeconfig == there / "config"


def test_every_path_that_an_inventory_may_hold_is_relative_to_its_file() -> None:
    paths = {name for name, field in Inventory.model_fields.items() if "Path" in str(field.annotation)}
    assert paths == set(_PATHS)


def test_a_path_in_the_environment_is_relative_to_where_the_run_is_called(
    given: dict[str, Any], there: Path
) -> None:
    inventory = load(given, written(there, ""), CA_BUNDLE="../there/authority.pem")
    assert inventory.ca_bundle
    assert inventory.ca_bundle.samefile(there / "authority.pem")


@pytest.mark.parametrize("in_file", [True, False])
def test_a_tilde_is_the_home_folder(
    given: dict[str, Any], there: Path, monkeypatch: pytest.MonkeyPatch, in_file: bool
) -> None:
    monkeypatch.setenv("HOME", str(there))
    elsewhere = written(there.parent, "ca_bundle: ~/authority.pem\n" if in_file else "")
    inventory = load(given, elsewhere, **({} if in_file else {"CA_BUNDLE": "~/authority.pem"}))
    assert inventory.ca_bundle == there / "authority.pem"


@pytest.mark.parametrize(
    ("path", "tried", "why"),
    [
        ("absent.pem", "absent.pem", "No such file or directory"),
        (".", "", "Is a directory"),
        ("inventory.yaml", "inventory.yaml", "holds no certificate in PEM form"),
        ("authority.pem/deeper", "authority.pem/deeper", "Not a directory"),
    ],
)
def test_the_path_that_was_tried_is_told(
    given: dict[str, Any], there: Path, path: str, tried: str, why: str
) -> None:
    file = written(there, f"ca_bundle: {path}\n")
    assert f"ca_bundle in {file}: {there / tried}: {why}; give the path" in complaint(given, file)


def test_the_path_that_was_tried_is_told_of_the_environment_as_well(
    given: dict[str, Any], there: Path
) -> None:
    tried = there.parent / "called" / "absent.pem"
    assert f"CA_BUNDLE in the environment: {tried}: No such" in complaint(given, CA_BUNDLE="absent.pem")


@pytest.mark.parametrize("value", ["~nobody-of-this-name/a.pem", "''", "[a]", "7"])
def test_what_is_no_path_is_told(given: dict[str, Any], there: Path, value: str) -> None:
    lines = complaint(given, written(there, f"ca_bundle: {value}\n")).splitlines()
    assert [line.partition(" in ")[0] for line in lines[1:]] == ["  ca_bundle"]


def test_a_platform_with_routes_needs_no_ingress_class(given: dict[str, Any]) -> None:
    given.pop("primary_ingress_class")
    assert load(given, EXPOSURE="route").primary_ingress_class is None
    assert "primary_ingress_class: missing; give a class" in complaint(given)
    assert "primary_ingress_class: missing; give a class" in complaint(
        {**given, "primary_ingress_class": None}
    )


@pytest.mark.parametrize(
    ("text", "environ", "exposure"),
    [
        ("exposure: route", {}, "route"),
        ("exposure: route", {"EXPOSURE": "ingress"}, "ingress"),
        ("domain_name: example.com", {}, "usual"),
        ("- no inventory", {}, "usual"),
    ],
)
def test_how_hosts_are_exposed_is_known_before_the_rest(
    tmp_path: Path, text: str, environ: dict[str, str], exposure: str
) -> None:
    assert exposure_of(written(tmp_path, text), environ, "usual") == exposure


def test_other_pods_find_a_release_under_the_domain_of_the_cluster(given: dict[str, Any]) -> None:
    assert load(given).inside("chromadb-svc", "chroma") == "chromadb-svc.chroma.svc.cluster.local"
    other = load({**given, "cluster_domain": "k8s.example.net"})
    assert other.inside("chromadb-svc", "chroma") == "chromadb-svc.chroma.svc.k8s.example.net"
    assert "cluster_domain: is not a DNS name; give the domain of the cluster" in complaint(
        {**given, "cluster_domain": "cluster local"}
    )
