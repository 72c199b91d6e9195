"""What code-server's shells get: variables as bash, zsh and fish read them, and the script that puts them in place; pure.

Paths, forms and the sourcing are the platform's (its role code_server_env_update).
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HOME: Final = "/home/thinkube"
_DIRECTORY: Final = f"{HOME}/.config/thinkube"
_SH: Final = f"{_DIRECTORY}/service-env-cs.sh"
_FISH: Final = f"{_DIRECTORY}/service-env-cs.fish"

# What starts a shell, and the line by which it reads the variables from then on.
_READS_SH: Final = f"if [ -f {_SH} ]; then . {_SH}; fi"
_READS_FISH: Final = f"if test -f {_FISH}; source {_FISH}; end"
_STARTS: Final = {
    f"{HOME}/.bashrc": _READS_SH,
    f"{HOME}/.zshrc": _READS_SH,
    f"{HOME}/.config/fish/config.fish": _READS_FISH,
}

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEADER: Final = "# From the platform's service discovery; written anew whenever that changes."

# Whole files take the place of old ones, so that no shell ever reads half a one. Whoever has commented a line out
# gets it again; a line of the platform's own, of whatever form, is enough.
_SCRIPT: Final = """\
set -eu
umask 077
put() {
    printf '%s' "$2" > "$1.new"
    chmod 700 "$1.new"
    mv -f "$1.new" "$1"
}
read_by() {
    grep -q "^[^#]*${3##*/}" "$1" 2>/dev/null || printf '\\n%s\\n' "$2" >> "$1"
}
"""


def is_taken(name: str, value: str) -> bool:
    """Whether shells take a variable: its name is one, and its value can stand in an environment."""
    return bool(_NAME.fullmatch(name)) and "\0" not in value


def for_sh(variables: Mapping[str, str]) -> str:
    """Return the file that bash and zsh source."""
    return _file(f'export {name}="{_escaped(value, chr(96))}"' for name, value in variables.items())


def for_fish(variables: Mapping[str, str]) -> str:
    """Return the file that fish sources; to it a backtick means nothing, not even behind a backslash."""
    return _file(f'set -gx {name} "{_escaped(value)}"' for name, value in variables.items())


def script(variables: Mapping[str, str]) -> bytes:
    """Return what a POSIX shell has to read to put the variables in place of those that were there before.

    It says when it is done: before Kubernetes 1.30 its reader does not see the end of its input. None of the values becomes an argument
    of a program, where anybody who lists processes would see it.
    """
    lines = [
        f"mkdir -p {_DIRECTORY} {HOME}/.config/fish",
        f"put {_SH} {shlex.quote(for_sh(variables))}",
        f"put {_FISH} {shlex.quote(for_fish(variables))}",
    ]
    for file, line in _STARTS.items():
        lines.append(f"read_by {file} {shlex.quote(line)} {_FISH if file.endswith('.fish') else _SH}")
    return (_SCRIPT + "\n".join([*lines, "exit 0", ""])).encode()


def _file(lines: Iterable[str]) -> str:
    return "\n".join([_HEADER, *lines, ""])


def _escaped(value: str, also: str = "") -> str:
    """Return a value as it stands between double quotes."""
    return "".join(f"\\{one}" if one in f'\\"${also}' else one for one in value)
