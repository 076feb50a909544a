"""Recipes as TOML files: names as in `Recipe`, a table [augmentation] with those of `Augmentation`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, is_dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import tomli_w

from videmo.errors import UsageError
from videmo.output.files import replacing
from videmo.settings import read_toml
from videmo.training.emotion.recipe import Recipe, standard_recipe

T = TypeVar("T")


def read_recipe(path: Path, arch: str | None = None) -> Recipe:
    """Returns the recipe in a TOML file; what it does not name is as in `standard_recipe`.

    Args:
        path: The file.
        arch: Architecture to use instead of the one in the file.

    Raises:
        UsageError: The file cannot be read, or has a name or a value that cannot be used.
    """
    values = read_toml(path, "recipe") | ({"arch": arch} if arch else {})
    try:
        return make_recipe(values)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error


def write_recipe(recipe: Recipe, path: Path) -> None:
    """Writes a recipe as TOML that `read_recipe` gives back.

    Raises:
        OutputError: The disk is full or the folder does not allow it.
    """
    values = {name: value for name, value in asdict(recipe).items() if value is not None}
    with replacing(path) as partial:
        partial.write_text(tomli_w.dumps(values), encoding="utf-8")


def make_recipe(values: Mapping[str, Any]) -> Recipe:
    """Returns the recipe of plain values, as TOML and JSON give them: lists for tuples, a table for the augmentation.

    Without a learning rate among them it is the one that the architecture bears.

    Raises:
        UsageError: A name is unknown, or a value cannot be used.

    Example:
        >>> make_recipe({"width": 2, "augmentation": {"flip": 0}}).augmentation.flip
        0.0
    """
    recipe = _make(Recipe, values)
    if "learning_rate" in values:
        return recipe
    return replace(recipe, learning_rate=standard_recipe(recipe.arch).learning_rate)


def _make(kind: type[T], values: Mapping[str, Any]) -> T:
    hints = get_type_hints(kind)
    for name in values:
        if name not in hints:
            close = get_close_matches(name, hints, 1)
            known = f"did you mean {close[0]}?" if close else f"known are {', '.join(sorted(hints))}"
            raise UsageError(f"unknown name {name!r}: {known}")
    return kind(**{name: _convert(value, hints[name], name) for name, value in values.items()})


def _convert(value: Any, hint: Any, name: str) -> Any:
    """Returns a value as the type that a field is declared with; a whole number may stand for a float."""
    if get_origin(hint) is UnionType:
        return None if value is None else _convert(value, get_args(hint)[0], name)
    if is_dataclass(hint) and isinstance(hint, type) and isinstance(value, Mapping):
        return _make(hint, value)
    if get_origin(hint) is tuple and isinstance(value, (list, tuple)):
        kinds = get_args(hint)
        kinds = kinds[:1] * len(value) if kinds[-1] is Ellipsis else kinds
        if len(kinds) == len(value):
            return tuple(_convert(part, kind, name) for part, kind in zip(value, kinds, strict=True))
    elif hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    elif isinstance(hint, type) and type(value) is hint:
        return value
    raise UsageError(f"{name} = {value!r} cannot be used: expected {getattr(hint, '__name__', hint)}")
