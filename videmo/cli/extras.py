"""Optional packages: what to install when one is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from videmo.errors import UsageError


@contextmanager
def require_extra(extra: str) -> Iterator[None]:
    """Turn a missing package of an optional extra into one line that says how to install it."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise UsageError(f'this command needs {error.name}: pip install "videmo[{extra}]"') from error
