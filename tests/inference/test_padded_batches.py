import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from videmo.inference.base import padded_batches


@given(rows=st.integers(1, 200), batch_size=st.sampled_from([1, 2, 3, 8, 32]))
def test_every_row_comes_once_in_order_and_batches_have_few_sizes(rows: int, batch_size: int) -> None:
    values = np.arange(1, rows + 1, dtype=np.uint8)
    batches = list(padded_batches(values, batch_size))
    assert np.concatenate([batch[:count] for batch, count in batches]).tolist() == values.tolist()
    assert all(not batch[count:].any() and len(batch) <= batch_size for batch, count in batches)
    assert {len(batch) for batch, _ in batches} <= {batch_size, *(2**power for power in range(8))}
    assert all(batch.dtype == np.uint8 for batch, _ in batches)
