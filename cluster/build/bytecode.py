"""Python of an image as bytecode: a program that cannot keep any, on a root that is read alone, compiles at every start."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from cluster.build.members import matches, opened
from cluster.build.recipes import RecipeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cluster.build import oci
    from cluster.build.recipes import Compiled


def compiled(wanted: Compiled, entries: Iterable[oci.Entry], place: Path) -> Iterator[oci.Entry]:
    """Yield the entries of a layer, those of the wanted sources as what the layer's own interpreter makes of them.

    `place` is an empty directory that lasts until they are written. A source that does not compile stays as it is. Raises
    RecipeError where the interpreter is none of this machine.
    """
    there = list(entries)
    # bin/python and what lies beside it, as installed.
    home = PurePosixPath(wanted.interpreter).parents[1]
    for entry in there:
        if entry.path.is_relative_to(home):
            _lay(entry, place)
    _compile(place, wanted.interpreter, home)
    for entry in there:
        made = _laid(entry.path, place).with_suffix(".pyc")
        if _is_wanted(wanted, str(entry.path)) and made.is_file():
            path, size = entry.path.with_suffix(".pyc"), made.stat().st_size
            yield replace(entry, path=path, size=size, content=partial(opened, made))
        else:
            yield entry


def _is_wanted(wanted: Compiled, path: str) -> bool:
    return path.endswith(".py") and matches(path, wanted.take) and not matches(path, wanted.without)


def _laid(path: PurePosixPath, place: Path) -> Path:
    return place / path.relative_to("/")


def _lay(entry: oci.Entry, place: Path) -> None:
    file = _laid(entry.path, place)
    file.parent.mkdir(parents=True, exist_ok=True)
    if entry.content is not None:
        with entry.content() as source, file.open("wb") as target:
            shutil.copyfileobj(source, target)
        file.chmod(entry.mode)
    elif entry.target:
        file.symlink_to(entry.target)


def _compile(place: Path, interpreter: str, home: PurePosixPath) -> None:
    """Compile all sources below a home, each beside itself; the same ones give the same bytes."""
    program = _laid(PurePosixPath(interpreter), place)
    names = ("-s", str(place), "-p", "/", "--invalidation-mode", "unchecked-hash")
    try:
        done = subprocess.run(
            [program, "-S", "-m", "compileall", "-b", "-q", "-q", *names, _laid(home, place)],
            # Else sets among the constants have another order each time.
            env={"PYTHONHASHSEED": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise RecipeError(f"{interpreter} does not run on this machine: {error.strerror}") from None
    # It ends with 1 where a file does not compile, and packages have some that are not meant to.
    if done.returncode not in {0, 1} or done.stderr:
        raise RecipeError(f"{interpreter} cannot compile: {done.stderr[-500:] or done.returncode}")
