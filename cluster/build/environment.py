"""Installs a locked Python environment with uv, the way this machine's pip is configured; needs no package itself."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cluster.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Settings of pip that decide whether a package can be had at all, and the variables in which uv takes them. uv reads no
# configuration of pip's, and people behind a mirror or a proxy have set nothing else.
_VARIABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "index-url": ("UV_DEFAULT_INDEX",),
    "extra-index-url": ("UV_INDEX",),
    "find-links": ("UV_FIND_LINKS",),
    "no-index": ("UV_NO_INDEX",),
    "trusted-host": ("UV_INSECURE_HOST",),
    "cert": ("SSL_CERT_FILE",),
    "client-cert": ("SSL_CLIENT_CERT",),
    "proxy": ("HTTPS_PROXY", "HTTP_PROXY"),
    "timeout": ("UV_HTTP_TIMEOUT",),
    "default-timeout": ("UV_HTTP_TIMEOUT",),
}
# pip separates several values by blanks or lines, uv these by commas.
_BY_COMMAS: Final = frozenset({"find-links"})
# Weakest first; pip lets a command's section overrule the general one, and a variable both.
_SECTIONS: Final = ("global", "install", ":env:")
_SETTING: Final = re.compile(r"(?P<section>global|install|:env:)\.(?P<name>[a-z-]+)=(?P<value>'.*'|\".*\")")
_QUOTED_LINES: Final = 6


class InstallError(ClusterError):
    """The environment cannot be installed; the text holds what the tool said, and what to do."""


def main() -> int:
    """Build the environment `DIRECTORY` of the project here from each `LOCK` after it; gives the exit code."""
    directory, *locks = (Path(word) for word in sys.argv[1:])
    try:
        install(directory, locks, Path.cwd())
    except InstallError as failure:
        sys.stderr.write(f"error: {failure}\n")
        return 1
    return 0


def install(directory: Path, locks: Sequence[Path], project: Path) -> None:
    """Make `directory` a virtual environment of this interpreter with exactly the packages of the locks, and a link to `project`.

    Every file of a package has to have a hash that a lock names; the first one pins uv. An environment that is there is brought up to date. Raises InstallError.
    """
    python = directory / "bin/python"
    if not _is_of_this_interpreter_and_place(directory):
        try:
            venv.EnvBuilder(with_pip=True, clear=True).create(directory)
        except (OSError, subprocess.CalledProcessError) as error:
            raise InstallError(f"{directory} cannot be made: {error}") from error
    settings = pip_settings(python)
    uv = directory / "bin/uv"
    pin = pinned(locks[0].read_text(), "uv")
    if not _is_of_version(uv, pin):
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as requirement:
            requirement.write(pin)
            requirement.flush()
            options = (
                "--quiet",
                "--no-input",
                "--disable-pip-version-check",
                "--no-deps",
                "--require-hashes",
            )
            _run(
                [str(python), "-m", "pip", "install", *options, "--requirement", requirement.name], os.environ
            )
    variables = {**os.environ, **for_uv(settings), **_SETTINGS_OF_OURS}
    _run([str(uv), "pip", "sync", "--require-hashes", "--python", str(python), *map(str, locks)], variables)
    link(project, uv, python)


def link(project: Path, uv: Path, python: Path) -> None:
    """Let an environment have `project` as it lies there; uv itself builds it, and so nothing is fetched for it."""
    options = ("--quiet", "--offline", "--no-deps")
    _run(
        [str(uv), "pip", "install", *options, "--python", str(python), "--editable", str(project)], os.environ
    )


_SETTINGS_OF_OURS: Final = {
    # The lock is the whole truth: hashes decide what is taken, from whichever index has it.
    "UV_INDEX_STRATEGY": "unsafe-best-match",
    "UV_PYTHON_DOWNLOADS": "never",
    # As pip does by default; an authority of the company's own is known to the machine only.
    "UV_SYSTEM_CERTS": "true",
}


def pip_settings(python: Path) -> dict[str, str]:
    """Return pip's settings as they hold for an installation, by name, whichever file or variable they come from.

    They are asked of pip itself: it knows its files. Without an answer there are none.
    """
    command = [str(python), "-m", "pip", "config", "list"]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = [match for line in said.splitlines() if (match := _SETTING.fullmatch(line.strip()))]
    found.sort(key=lambda match: _SECTIONS.index(match["section"]))
    return {match["name"]: str(ast.literal_eval(match["value"])) for match in found}


def for_uv(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that tell uv what pip's settings tell pip; one that is set for uv itself stays as it is."""
    stated: dict[str, str] = {}
    for name, variables in _VARIABLES.items():
        if value := settings.get(name):
            words = (",".join if name in _BY_COMMAS else " ".join)(value.split())
            stated |= {variable: words for variable in variables if variable not in os.environ}
    return stated


def pinned(lock: str, name: str) -> str:
    """Return the requirement of one package with its hashes, as it stands in the text of a lock."""
    match = re.search(rf"^{re.escape(name)}==(?:.*\\\n)*.*\n", lock, re.MULTILINE)
    if match is None:
        raise InstallError(
            f"the lock pins no {name}, which installs the environment: `make lock` writes it anew"
        )
    return match[0]


def _is_of_this_interpreter_and_place(directory: Path) -> bool:
    """Whether an environment is there and was made by this interpreter, and here: its programs hold both."""
    try:
        lines = (directory / "pyvenv.cfg").read_text().splitlines()
    except OSError:
        return False
    facts = dict(line.split(" = ", 1) for line in lines if " = " in line)
    version = ".".join(str(number) for number in sys.version_info[:3])
    made_here = facts.get("command", "").endswith(f" {directory.absolute()}")
    return facts.get("version") == version and made_here and (directory / "bin/python").exists()


def _is_of_version(uv: Path, pin: str) -> bool:
    try:
        said = subprocess.run(
            [str(uv), "--version"], capture_output=True, text=True, check=False
        ).stdout.split()
    except OSError:
        return False
    return len(said) > 1 and pin.startswith(f"uv=={said[1]} ")


def _run(command: list[str], environment: Mapping[str, str]) -> None:
    done = subprocess.run(
        command,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        said = "\n".join(f"  {line}" for line in done.stdout.strip().splitlines()[-_QUOTED_LINES:])
        raise InstallError(
            f"the Python packages cannot be installed; {Path(command[0]).name} says:\n{said}\n"
            "Packages come from the Python index, or from the one that pip is configured for (`pip config list`)."
        )


if __name__ == "__main__":
    sys.exit(main())
