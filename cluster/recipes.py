"""The schema of image recipes: one YAML file says what one image is made of."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Annotated, Self

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from cluster.downloads import Pin
from cluster.errors import ClusterError


class RecipeError(ClusterError):
    """A recipe cannot be built; the text names the file, each wrong field, and what is wrong with it."""


def _plain(path: str) -> str:
    if not path.startswith("/") or path != str(PurePosixPath(path)) or ".." in path.split("/"):
        raise ValueError("a path in an image is absolute and has no . or .. and no slash at its end")
    return path


ImagePath = Annotated[str, AfterValidator(_plain)]
# A string, since YAML would read 755 without its leading zero as a decimal number.
Mode = Annotated[str, Field(pattern=r"^[0-7]{4}$")]
Owner = Annotated[str, Field(pattern=r"^\d+:\d+$")]
Tag = Annotated[str, Field(pattern=r"^[\w][\w.-]{0,127}$")]
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


class _Package(_Strict):
    package: str
    version: str
    sha256: Sha256

    @property
    def pin(self) -> Pin:
        """What has to be fetched."""
        return Pin(self.package, self.version, self.sha256)


class Deb(_Package):
    """Files of one Debian package; a link is followed, and the image holds the file under the link's name.

    `take` names files; `below` directories of which everything is taken that matches no pattern of `without`.
    """

    take: list[ImagePath] = []
    below: list[ImagePath] = []
    without: list[str] = []

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.take and not self.below:
            raise ValueError("takes nothing: name files under take, or directories under below")
        return self


class Member(_Placed):
    """One file of a wheel and where it goes."""

    member: str


class Wheel(_Package):
    """Files of one wheel of the Python index."""

    take: list[Member] = Field(min_length=1)


class Installed(_Strict):
    """The wheels of a lock, unpacked into one directory as an installer would; the lock is a neighbour of the recipe.

    Each line of it pins one wheel: `name==version --hash=sha256:…`. What matches a pattern of `without` is left out;
    a file of the recipe at the path of an installed one replaces it.
    """

    lock: str
    path: ImagePath
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

    A registry has it under its `tag`, and under each of `aliases` as well.
    """

    name: str = Field(pattern=r"^[a-z0-9]+([._/-][a-z0-9]+)*$")
    tag: Tag
    aliases: list[Tag] = []
    debs: list[Deb] = []
    wheels: list[Wheel] = []
    installed: list[Installed] = []
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
        paths = [path for deb in self.debs for path in deb.take]
        paths += [member.path for wheel in self.wheels for member in wheel.take]
        paths += [item.path for item in (*self.files, *self.directories)]
        if twice := sorted({path for path in paths if paths.count(path) > 1}):
            raise ValueError(f"given more than once: {', '.join(twice)}")
        files = set(paths) - {item.path for item in self.directories}
        if both := sorted(files & {str(parent) for path in paths for parent in PurePosixPath(path).parents}):
            raise ValueError(f"a file and something below it: {', '.join(both)}")
        return self

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
