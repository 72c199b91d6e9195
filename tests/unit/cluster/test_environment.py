"""The environment is installed by uv, from wherever this machine's pip would take it."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cluster.build import environment

if TYPE_CHECKING:
    from collections.abc import Mapping

_ROOT = Path(__file__).resolve().parents[3]
_LOCKS = ("requirements.lock", "requirements-dev.lock")
_PYTHON = Path(sys.executable)


@pytest.fixture
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave pip and uv no settings but those of the test."""
    for names in environment._VARIABLES.values():
        for name in names:
            monkeypatch.delenv(name, raising=False)
    for name in ("PIP_FIND_LINKS", "PIP_CERT", "PIP_INDEX_URL", "PIP_DEFAULT_TIMEOUT"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("_no_settings")
def test_settings_of_a_file_and_of_variables_reach_uv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "pip.conf"
    file.write_text(
        "[global]\nindex-url = https://jo:it's@mirror.example/simple\nproxy = http://proxy.example:3128\n"
        "find-links =\n    /one\n    /two\n[install]\ntimeout = 99\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(file))
    monkeypatch.setenv("PIP_TRUSTED_HOST", "one.example two.example")

    told = environment.for_uv(environment.pip_settings(_PYTHON))

    assert told["UV_DEFAULT_INDEX"] == "https://jo:it's@mirror.example/simple"
    assert told["HTTPS_PROXY"] == told["HTTP_PROXY"] == "http://proxy.example:3128"
    assert told["UV_FIND_LINKS"] == "/one,/two"
    assert told["UV_HTTP_TIMEOUT"] == "99"
    assert told["UV_INSECURE_HOST"] == "one.example two.example"


@pytest.mark.usefixtures("_no_settings")
def test_a_variable_overrules_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "pip.conf"
    file.write_text("[global]\nindex-url = https://file.example/simple\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(file))
    monkeypatch.setenv("PIP_INDEX_URL", "https://variable.example/simple")

    assert environment.pip_settings(_PYTHON)["index-url"] == "https://variable.example/simple"


@pytest.mark.usefixtures("_no_settings")
def test_what_is_set_for_uv_itself_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://mine.example/simple")

    assert "UV_DEFAULT_INDEX" not in environment.for_uv({"index-url": "https://pips.example/simple"})


@pytest.mark.parametrize(
    ("settings", "variables"),
    [
        pytest.param({}, {}, id="none"),
        pytest.param({"progress-bar": "off"}, {}, id="one that is pip's own affair"),
        pytest.param({"proxy": ""}, {}, id="an empty one"),
    ],
)
def test_nothing_else_is_handed_on(settings: Mapping[str, str], variables: Mapping[str, str]) -> None:
    assert environment.for_uv(settings) == variables


def test_a_pin_is_taken_with_all_its_hashes() -> None:
    lock = "a==1 \\\n    --hash=sha256:aa\nuv==2 \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\nuvloop==3 \\\n    --hash=sha256:dd\n"

    assert environment.pinned(lock, "uv") == "uv==2 \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\n"


def test_the_lock_pins_what_installs_it_and_what_fetches_wheels() -> None:
    text = (_ROOT / "requirements.lock").read_text()

    assert all("--hash=sha256:" in environment.pinned(text, name) for name in ("uv", "pip"))


def test_a_lock_without_uv_is_refused_in_words() -> None:
    with pytest.raises(environment.InstallError, match="make lock"):
        environment.pinned("pip==1 \\\n    --hash=sha256:aa\n", "uv")


@pytest.mark.parametrize("lock", _LOCKS)
def test_locks_carry_no_addresses(lock: str) -> None:
    assert "://" not in (_ROOT / lock).read_text()


def test_both_locks_agree_on_every_version() -> None:
    versions: dict[str, set[str]] = {}
    for lock in _LOCKS:
        for line in (_ROOT / lock).read_text().splitlines():
            name, found, rest = line.partition("==")
            if found and not line.startswith((" ", "#")):
                versions.setdefault(name, set()).add(rest.split()[0])

    assert {name: both for name, both in versions.items() if len(both) > 1} == {}


@pytest.mark.usefixtures("_no_settings")
def test_an_index_that_does_not_answer_is_told_in_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    venv.EnvBuilder(with_pip=True).create(tmp_path / "env")
    (tmp_path / "a.lock").write_text(f"uv==9.9.9 \\\n    --hash=sha256:{'0' * 64}\n")
    # The port of a service that nobody has: the connection is refused at once.
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setattr(sys, "argv", ["environment", str(tmp_path / "env"), str(tmp_path / "a.lock")])

    assert environment.main() == 1

    said = capsys.readouterr().err
    assert said.startswith("error: the Python packages cannot be installed; ")
    assert "pip config list" in said
    assert "Traceback" not in said


def test_a_new_environment_has_the_plugin_of_pytest_and_nothing_else_of_the_suite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What builds the link is in uv: no index is asked, and none of its caches."""
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    venv.EnvBuilder().create(tmp_path / "env")
    python = tmp_path / "env/bin/python"

    environment.link(_ROOT, _PYTHON.with_name("uv"), python)

    code = (
        "from importlib.metadata import entry_points; from importlib.util import find_spec\n"
        "(one,) = entry_points(group='pytest11')\n"
        "print(one.name, find_spec(one.module).origin, find_spec('support'), find_spec('tests'))"
    )
    said = subprocess.run(
        [python, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout.strip()
    assert said == f"chroma-conformance {_ROOT}/src/chroma_conformance/__init__.py None None"


def test_an_environment_that_was_moved_is_made_once_more(tmp_path: Path) -> None:
    """Its programs name the interpreter by its path."""
    made, moved = tmp_path / "made", tmp_path / "moved"
    venv.EnvBuilder().create(made)
    assert environment._is_of_this_interpreter_and_place(made)
    made.rename(moved)
    assert not environment._is_of_this_interpreter_and_place(moved)


def test_it_needs_no_package() -> None:
    """It makes the environment, and so runs before there is one."""
    code = "import cluster.build.environment"
    isolated = [getattr(sys, "_base_executable", sys.executable), "-S", "-c", code]

    assert subprocess.run(isolated, cwd=_ROOT, check=False).returncode == 0
