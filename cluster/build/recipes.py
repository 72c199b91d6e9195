"""The schema of image recipes: one YAML file says what one image is made of."""

from __future__ import annotations

from collections.abc import Collection  # noqa: TC003 - pydantic reads the annotations
from operator import not_
from pathlib import Path, PurePosixPath
from typing import Annotated, Self

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from cluster.build.downloads import Pin
from cluster.errors import ClusterError


class RecipeError(ClusterError):
    """A recipe cannot be built; the text names the file, each wrong field, and what is wrong with it."""


def _plain(path: str) -> str:
    if not path.startswith("/") or path != str(PurePosixPath(path)) or ".." in path.split("/"):
        raise ValueError("a path in an image is absolute and has no . or .. and no slash at its end")
    return path


def _pattern(path: str) -> str:
    if not path.startswith(("/usr/", "/etc/")):
        raise ValueError("a pattern of the distribution's files begins with /usr/ or /etc/")
    return path


ImagePath = Annotated[str, AfterValidator(_plain)]
# A string, since YAML would read 755 without its leading zero as a decimal number.
Mode = Annotated[str, Field(pattern=r"^[0-7]{4}$")]
Owner = Annotated[str, Field(pattern=r"^\d+:\d+$")]
Tag = Annotated[str, Field(pattern=r"^[\w][\w.-]{0,127}$")]
Alternatives = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9+.-]+( \| [a-z0-9][a-z0-9+.-]+)*$")]
Program = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][\w+.-]*$")]
Pattern = Annotated[str, AfterValidator(_pattern)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Placed(_Strict):
    """What becomes one entry of the layer."""

    path: ImagePath
    mode: Mode = "0644"
    owner: Owner = "0:0"

    @property
    def bits(self) -> int:
        """The mode as a number."""
        return int(self.mode, 8)

    @property
    def ids(self) -> tuple[int, int]:
        """The owner as (uid, gid)."""
        user, _, group = self.owner.partition(":")
        return int(user), int(group)


class Distribution(_Strict):
    """Files of the machine's distribution, whichever that is; the shared libraries they need come with them.

    `packages` are those of a Debian archive, in the words of its own dependencies: "libssl3t64 | libssl3" is the first
    of them that it has. What is wanted may also lie in a package on which one of them depends. `elsewhere` names what
    a distribution of another kind has instead. A program of `programs` becomes /usr/bin/NAME wherever it lies. `take`
    are patterns of paths, all of which must be found; `if_there` those that may be missing; what matches a pattern of
    `without` is left out. A * stands for any characters, those between directories too: so no version, no multiarch
    directory and no /lib beside /usr/lib makes a difference. `libraries` are names of shared libraries that a program
    opens only as it runs.
    """

    packages: list[Alternatives] = Field(min_length=1)
    elsewhere: list[str] = []
    programs: list[Program] = []
    take: list[Pattern] = []
    if_there: list[Pattern] = []
    without: list[Pattern] = []
    libraries: list[str] = []


class _FromIndex(_Strict):
    """A package of an index that keeps its old versions: it stays pinned by its hash."""

    package: str
    version: str


class Module(_Strict):
    """A tree of files that a Go module holds, unpacked into a directory.

    Its files.json names them, and which of them are links or compressed, as github.com/kluctl/go-embed-python does it.
    `sum` is the module's hash in the form of go.sum; `trees` names the tree for each machine (x86_64, aarch64).
    """

    module: str
    version: str
    sum: str = Field(pattern=r"^h1:[A-Za-z0-9+/]{43}=$")
    trees: dict[str, str]
    path: ImagePath
    take: list[str] = Field(min_length=1)
    without: list[str] = []


class Member(_Placed):
    """One file of a wheel and where it goes."""

    member: str


class Wheel(_FromIndex):
    """Files of one wheel of the Python index; `sha256` has the hash of the wheel for each machine (x86_64, aarch64)."""

    sha256: dict[str, Sha256] = Field(min_length=1)
    take: list[Member] = Field(min_length=1)

    def pin(self, machine: str) -> Pin:
        """Give what has to be fetched for a machine. Raises RecipeError where there is no such wheel."""
        if machine not in self.sha256:
            there = ", ".join(sorted(self.sha256))
            raise RecipeError(
                f"the wheel {self.package} {self.version} is not for {machine} (but for {there})"
            )
        return Pin(self.package, self.version, self.sha256[machine])


class Installed(_Strict):
    """The wheels of a lock, unpacked into one directory as an installer would; the lock is a neighbour of the recipe.

    Each line of it pins one wheel: `name==version [; marker] --hash=sha256:…`, with a hash for each machine. Packages of
    `without_packages` are left out, and files that match a pattern of `without`; a file of the recipe at the path of an
    installed one replaces it.
    """

    lock: str
    path: ImagePath
    # Not in the keys of images that do without.
    without_packages: list[str] = Field(default=[], exclude_if=not_)
    without: list[str] = []


class Compiled(_Strict):
    """Python that is in the image as bytecode alone, without its sources, so that no start has to compile it.

    `interpreter` is the image's own, which compiles it. `take` are patterns of the paths of sources in the image; what matches
    a pattern of `without` stays as it is. It takes about as much room as its sources.
    """

    interpreter: ImagePath
    take: list[str] = Field(min_length=1)
    without: list[str] = []


class Tree(_Strict):
    """Files of a directory that lies beside the recipe or above it, such as the checkout, put below a path of the image.

    `take` are patterns of their paths below `source`, each of which must match a file; what matches a pattern of
    `without` is left out. A * stands for any characters, those between directories too. Neither links nor compiled
    Python are taken. Trees are a layer of their own above the rest.
    """

    source: str
    path: ImagePath
    take: list[str] = Field(min_length=1)
    without: list[str] = []


class File(_Placed):
    """A file given by its text, by a neighbour of the recipe, or by the name of a program of the caller's."""

    text: str | None = None
    source: str | None = None
    program: str | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if [self.text, self.source, self.program].count(None) != 2:
            raise ValueError("a file has exactly one of text, source and program")
        return self


class Directory(_Placed):
    """An empty directory; those above files need not be listed."""

    mode: Mode = "0755"


class Recipe(_Strict):
    """How one image is made; the fields after `directories` are those of the image specification.

    `strip` leaves symbols and debugging information out of its programs and libraries. A registry has it under its `tag`, and under each of `aliases` as well. One that is `on_request` is made only for
    those who name it.
    """

    name: str = Field(pattern=r"^[a-z0-9]+([._/-][a-z0-9]+)*$")
    tag: Tag
    aliases: list[Tag] = []
    on_request: bool = False
    distribution: Distribution | None = None
    modules: list[Module] = []
    wheels: list[Wheel] = []
    installed: list[Installed] = []
    trees: list[Tree] = Field(default=[], exclude_if=not_)
    strip: bool = Field(default=False, exclude_if=not_)
    compiled: Compiled | None = Field(default=None, exclude_if=not_)
    files: list[File] = []
    directories: list[Directory] = []
    user: Owner
    entrypoint: list[str] = Field(min_length=1)
    command: list[str] = []
    environment: dict[str, str] = {}
    working_directory: ImagePath = "/"
    stop_signal: str | None = Field(default=None, pattern=r"^SIG[A-Z0-9]+$")
    ports: list[int] = []

    @model_validator(mode="after")
    def _no_path_contradicts(self) -> Self:
        paths = [member.path for wheel in self.wheels for member in wheel.take]
        paths += [item.path for item in (*self.files, *self.directories)]
        if twice := sorted({path for path in paths if paths.count(path) > 1}):
            raise ValueError(f"given more than once: {', '.join(twice)}")
        files = set(paths) - {item.path for item in self.directories}
        if both := sorted(files & {str(parent) for path in paths for parent in PurePosixPath(path).parents}):
            raise ValueError(f"a file and something below it: {', '.join(both)}")
        return self

    def is_wanted(self, asked: Collection[str]) -> bool:
        """Whether the image is to be made, for somebody who asks for these (`chroma:0.5.23`) and the usual ones."""
        return not self.on_request or self.is_named(asked)

    def is_named(self, asked: Collection[str]) -> bool:
        """Whether one of these is its name, or the end of that behind a slash."""
        names = {f"{self.name}:{tag}" for tag in (self.tag, *self.aliases)}
        return any(name == one or name.endswith(f"/{one}") for name in names for one in asked)

    @classmethod
    def load(cls, file: Path) -> Recipe:
        """Read and check a recipe. Raises RecipeError."""
        try:
            return cls.model_validate(yaml.safe_load(file.read_text()))
        except OSError as error:
            raise RecipeError(f"{file}: {error.strerror}") from None
        except yaml.YAMLError as error:
            raise RecipeError(f"{file} is not YAML: {error}") from None
        except ValidationError as error:
            wrong = [
                f"{'.'.join(map(str, each['loc'])) or 'recipe'}: {each['msg']}" for each in error.errors()
            ]
            raise RecipeError("\n  ".join([f"{file} is not a recipe:", *wrong])) from None
