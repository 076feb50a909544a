"""Refuses what a recipe says out of its range, in one line."""

from __future__ import annotations

import math
from collections.abc import Iterable

from videmo.errors import UsageError


def require(holds: bool, name: str, value: object, allowed: str) -> None:
    """Raises UsageError where a value cannot be used, with what is allowed.

    Example:
        >>> require(False, "epochs", 0, "a whole number from 1")
        Traceback (most recent call last):
        videmo.errors.UsageError: epochs = 0 cannot be used: expected a whole number from 1
    """
    if not holds:
        raise UsageError(f"{name} = {value} cannot be used: expected {allowed}")


def require_shares(recipe: object, names: Iterable[str]) -> None:
    """Raises UsageError where one of the fields is not within 0..1."""
    for name in names:
        require(0 <= getattr(recipe, name) <= 1, name, getattr(recipe, name), "a share, 0 to 1")


def require_amounts(recipe: object, names: Iterable[str]) -> None:
    """Raises UsageError where one of the fields is below 0, or without end."""
    for name in names:
        require(0 <= getattr(recipe, name) < math.inf, name, getattr(recipe, name), "a number from 0")
