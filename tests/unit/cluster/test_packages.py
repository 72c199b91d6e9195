"""Checks of the packages: what is missing is found by its files and named in one message."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from cluster.build import packages
from cluster.build.packages import Package, PackagesMissing, ensure_packages

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def policy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The machine's policy-rc.d, which does not exist yet."""
    place = tmp_path / "policy-rc.d"
    monkeypatch.setattr(packages, "_POLICY", place)
    return place


@pytest.fixture
def two_missing(monkeypatch: pytest.MonkeyPatch, policy: Path) -> None:
    """Two packages that no machine has, and no way to install them by accident."""
    del policy
    missing = (Package("one", ("no-such-program",)), Package("two", ("/no/such/file", "sh")))
    monkeypatch.setattr(packages, "PACKAGES", missing)
    monkeypatch.setattr(packages, "_apt_get", lambda *_: "apt-get failed")


def test_a_program_is_found_on_the_path(tmp_path: Path) -> None:
    program = tmp_path / "tool"
    program.touch(mode=0o755)
    assert Package("tools", ("tool",)).missing(str(tmp_path)) == []


def test_a_program_elsewhere_is_missing(tmp_path: Path) -> None:
    assert Package("tools", ("sh",)).missing(str(tmp_path)) == ["sh"]


def test_a_file_is_found_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "plugin").touch()
    assert Package("plugins", (f"{tmp_path}/plugin",)).missing() == []


@pytest.mark.usefixtures("two_missing")
def test_an_ordinary_user_hears_all_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(
        PackagesMissing, match=r"(?s)one: no-such-program.*two: /no/such/file\n.*install .*one two"
    ):
        ensure_packages()


@pytest.mark.usefixtures("two_missing")
def test_another_distribution_installs_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(packages, "_DEBIAN", tmp_path / "absent")
    with pytest.raises(PackagesMissing, match="neither Debian nor Ubuntu"):
        ensure_packages()


@pytest.mark.parametrize(
    ("tool", "command"),
    [
        ("apt-get", "apt-get install --no-install-recommends conntrack mount util-linux"),
        ("dnf", "dnf install conntrack-tools util-linux"),
        ("pacman", "pacman -S conntrack-tools util-linux"),
        ("zypper", "zypper install conntrack-tools util-linux"),
    ],
)
def test_packages_go_by_the_names_of_the_machine(
    monkeypatch: pytest.MonkeyPatch, tool: str, command: str
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: name if name == tool else None)
    assert packages.how_to_install(["conntrack", "mount", "util-linux"]) == command


@pytest.mark.usefixtures("two_missing")
def test_a_failed_installation_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(packages, "_DEBIAN", tmp_path)
    monkeypatch.setattr("shutil.which", lambda program, **_: program if program == "apt-get" else None)
    with pytest.raises(PackagesMissing, match="apt-get failed"):
        ensure_packages()


def test_no_service_starts_meanwhile(policy: Path) -> None:
    with packages._no_service_starts():
        assert subprocess.run([policy, "containerd", "start"], check=False).returncode == 101


def test_services_may_start_again_afterwards(policy: Path) -> None:
    with packages._no_service_starts():
        pass
    assert not policy.exists()


def test_the_policy_of_the_machine_stays(policy: Path) -> None:
    policy.write_text("#!/bin/sh\nexit 0\n")
    with packages._no_service_starts():
        pass
    assert policy.read_text() == "#!/bin/sh\nexit 0\n"


def test_the_policy_of_a_killed_run_is_removed(policy: Path) -> None:
    with subprocess.Popen(["true"]) as dead:
        pass
    policy.write_text(f"#!/bin/sh\n{packages._OUR_POLICY}{dead.pid}\nexit 101\n")
    ensure_packages()
    assert not policy.exists()


def test_network_plugins_are_found_where_the_distribution_has_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual, other = tmp_path / "lib", tmp_path / "libexec"
    monkeypatch.setattr(packages, "_CNI_DIRECTORIES", (str(usual), str(other)))
    assert packages.cni_directory() == str(usual), "without any, the usual place is named"

    other.mkdir()
    for plugin in packages._CNI_PLUGINS:
        (other / plugin).touch()

    assert packages.cni_directory() == str(other)
