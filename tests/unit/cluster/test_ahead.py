"""What needs no program of ours is built beside the programs; what fails there is told where it is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cluster.build import ahead
from cluster.build.cache import Store, default_root
from cluster.build.images import ensure_images
from cluster.build.recipes import RecipeError

if TYPE_CHECKING:
    from pathlib import Path

_RECIPE = """\
name: {name}
tag: "1"
files:
  - path: /it
    {content}
user: "1:1"
entrypoint: [/it]
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return default_root()


def _recipe(directory: Path, name: str, content: str) -> Path:
    file = directory / f"{name}.yaml"
    file.write_text(_RECIPE.format(name=name, content=content))
    return file


def test_an_image_is_there_after_the_block(cache: Path, tmp_path: Path) -> None:
    recipe = _recipe(tmp_path, "plain", "text: hello")

    with ahead.images_ahead([recipe], ()):
        pass

    before = {path.name for path in cache.glob("image/*")}
    store = Store(cache)
    (image,) = ensure_images(store, [recipe], {})
    store.close()
    assert before == {image.layout.name}, "promised: it was built ahead, and not now"


def test_what_cannot_be_built_ahead_hinders_nothing_else(cache: Path, tmp_path: Path) -> None:
    recipes = [
        _recipe(tmp_path, "broken", "mode: '0755'"),
        _recipe(tmp_path, "later", "program: pause"),
        _recipe(tmp_path, "plain", "text: hello"),
    ]

    with ahead.images_ahead(recipes, ()):
        pass

    assert len(list(cache.glob("image/*"))) == 1


def test_its_failure_is_told_where_the_image_is_wanted(cache: Path, tmp_path: Path) -> None:
    recipe = _recipe(tmp_path, "broken", "mode: '0755'")

    with ahead.images_ahead([recipe], ()):
        pass

    store = Store(cache)
    with pytest.raises(RecipeError, match=r"exactly one of text, source and program"):
        ensure_images(store, [recipe], {})
    store.close()


def test_it_ends_with_a_block_that_fails(cache: Path, tmp_path: Path) -> None:
    del cache
    with (
        pytest.raises(ZeroDivisionError),
        ahead.images_ahead([_recipe(tmp_path, "plain", "text: hello")], ()),
    ):
        raise ZeroDivisionError
