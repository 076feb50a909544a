"""Every fuzz target on its good files and on a few damaged ones: seconds of what `run.py` does for as long as told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest
from fuzz.targets import TARGETS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"),
]
SLOW = {"keras-archive", "keras-config", "keras-values", "changed-tables", "changed-footers"}
HOW: Mapping[str, Callable[[bytes, int, bytes], bytes]] = {
    "replaced": lambda data, at, piece: data[:at] + piece + data[at + len(piece) :],
    "put in": lambda data, at, piece: data[:at] + piece + data[at:],
    "dropped": lambda data, at, piece: data[:at] + data[at + len(piece) :],
    "cut": lambda data, at, _: data[:at],
    "repeated": lambda data, at, piece: data[:at] + data[max(0, at - len(piece)) :],
}
Edit = tuple[str, float, bytes]
PIECES = st.binary(min_size=1, max_size=9)
EDITS = st.lists(st.tuples(st.sampled_from(sorted(HOW)), st.floats(0, 1), PIECES), min_size=1)


def damage(data: bytes, edits: Sequence[Edit]) -> bytes:
    for how, where, piece in edits:
        data = HOW[how](data, round(where * len(data)), piece)
    return data


@pytest.mark.parametrize("name", TARGETS)
def test_good_files_are_read(name: str) -> None:
    seeds = TARGETS[name].seeds()
    for seed in seeds:
        TARGETS[name].feed(seed)
    assert seeds


@pytest.mark.parametrize("name", TARGETS)
def test_damaged_files_are_read_or_refused_clearly(name: str) -> None:
    seeds, seen = TARGETS[name].seeds(), []

    # The same examples every time: what chance finds is for run.py, not for whoever runs the tests next.
    @settings(max_examples=4 if name in SLOW else 25, derandomize=True, suppress_health_check=HealthCheck)
    @given(st.sampled_from(seeds), EDITS)
    def read(seed: bytes, edits: Sequence[Edit]) -> None:
        TARGETS[name](damaged := damage(seed, edits))
        seen.append(damaged != seed)

    read()
    assert any(seen)
