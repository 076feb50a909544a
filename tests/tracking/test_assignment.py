from __future__ import annotations

from itertools import permutations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from videmo.tracking.assignment import assign

gain_matrices = st.tuples(st.integers(0, 4), st.integers(0, 4)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.integers(-5, 9).map(float))
)


@settings(deadline=None)
@given(gain_matrices)
def test_no_other_assignment_gains_more(gains: np.ndarray) -> None:
    rows, columns = assign(gains)
    assert len(set(rows.tolist())) == len(rows)
    assert len(set(columns.tolist())) == len(columns)
    assert (gains[rows, columns] > 0).all()
    wide = np.maximum(gains if gains.shape[0] <= gains.shape[1] else gains.T, 0)
    best = max(
        sum(wide[row, column] for row, column in enumerate(chosen))
        for chosen in permutations(range(wide.shape[1]), wide.shape[0])
    )
    assert gains[rows, columns].sum() == best


def test_a_bad_pair_is_not_made_to_use_up_a_row() -> None:
    rows, columns = assign(np.array([[5.0, -np.inf], [4.0, -np.inf]]))
    assert (rows.tolist(), columns.tolist()) == ([0], [0])
