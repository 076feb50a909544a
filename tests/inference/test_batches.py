import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from videmo.inference.base import padded_batches, whole_batches


@given(rows=st.integers(1, 200), batch_size=st.sampled_from([1, 2, 3, 8, 32]))
def test_every_row_comes_once_in_order_and_batches_have_few_sizes(rows: int, batch_size: int) -> None:
    values = np.arange(1, rows + 1, dtype=np.uint8)
    batches = list(padded_batches(values, batch_size))
    assert np.concatenate([batch[:count] for batch, count in batches]).tolist() == values.tolist()
    assert all(not batch[count:].any() and len(batch) <= batch_size for batch, count in batches)
    assert {len(batch) for batch, _ in batches} <= {batch_size, *(2**power for power in range(8))}
    assert all(batch.dtype == np.uint8 for batch, _ in batches)


@given(rows=st.integers(1, 200), most=st.sampled_from([1, 2, 3, 4, 16]))
def test_whole_batches_hold_every_row_once_in_order_and_nothing_else(rows: int, most: int) -> None:
    values = np.arange(1, rows + 1, dtype=np.uint8)
    batches = list(whole_batches(values, most))
    assert np.concatenate(batches).tolist() == values.tolist()
    assert {len(batch) for batch in batches} <= {most, max(1, most // 4), 1}
