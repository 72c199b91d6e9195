"""Words for what is wrong in a document that people wrote."""

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

import yaml


def read_mapping(file: "Path") -> dict[str, Any]:
    """Return the mapping a YAML file holds; nothing but comments is an empty one.

    Raises:
        ValueError: the file cannot be read, is not YAML, or holds something else; the text names no content.

    """
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8 text") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise ValueError(f"is not YAML: {getattr(error, 'problem', None) or 'unreadable'}{where}") from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise ValueError("must be a mapping of names to values")  # noqa: TRY004 - it is the document that is wrong
    return document


def checked(judge: "Callable[[str], object]") -> "Callable[[str], str]":
    """Return a validator that takes a text as it is, once a function has judged it without a `ValueError`."""

    def check(text: str) -> str:
        judge(text)
        return text

    return check


def unknown(name: str, known: "Iterable[str]") -> str:
    """Say that a name is unknown, with the nearest known one."""
    near = get_close_matches(name, sorted(known), n=1)
    return f"unknown; did you mean {near[0]}?" if near else f"unknown; known are {', '.join(sorted(known))}"


def meant(
    name: str,
    known: "Iterable[str]",
    most: int = 3,
    show: "Callable[[str], str]" = str,
    cutoff: float = 0.4,
) -> str:
    """Ask whether a name is one of the known ones most like it: those that hold it, else those that resemble it; or "".

    `cutoff` says how much they have to resemble it, between 0 and 1.
    """
    names = sorted(known)
    holding = [one for one in names if name.lower() in one.lower()]
    near = (holding or get_close_matches(name, names, n=most, cutoff=cutoff))[:most]
    return f"did you mean {' or '.join(map(show, near))}?" if near else ""


def explain(error: ValidationError, model: type[BaseModel]) -> "Iterator[tuple[str, str]]":
    """Yield (dotted path, what is wrong) for each problem; never the offending value, which may be a secret."""
    for problem in error.errors(include_url=False, include_input=False, include_context=False):
        path = problem["loc"]
        match problem["type"]:
            case "extra_forbidden":
                text = unknown(str(path[-1]), _fields(model, path[:-1]))
            case "missing":
                text = "missing"
            case _:
                text = problem["msg"].removeprefix("Value error, ")
        yield ".".join(map(str, path)), text


def _fields(model: type[BaseModel], path: tuple[int | str, ...]) -> "Iterable[str]":
    """Return the names that the fields at a path below a model have in a document."""
    for part in path:
        if isinstance(part, str):
            annotation = _named(model)[part].annotation
            model = next(
                kind
                for kind in (annotation, *get_args(annotation))
                if isinstance(kind, type) and issubclass(kind, BaseModel)
            )
    return _named(model)


def _named(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}
