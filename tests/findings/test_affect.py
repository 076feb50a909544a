from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from videmo.emotion.labels import EMOTIONS, FER2013_EMOTIONS
from videmo.errors import UsageError
from videmo.findings.affect import VALENCE_AROUSAL, derive_affect


def table(*rows: dict[str, float]) -> pd.DataFrame:
    return pd.DataFrame([dict.fromkeys(EMOTIONS, 0.0) | row for row in rows])


def test_a_mixture_lies_between_its_parts() -> None:
    (row,) = derive_affect(table({"neutral": 0.5, "happiness": 0.3, "anger": 0.2}), EMOTIONS).to_dict("records")
    assert row == pytest.approx(
        {
            "expressiveness": 0.5,
            "valence_experimental": 0.3 * 0.81 - 0.2 * 0.51,
            "arousal_experimental": 0.3 * 0.51 + 0.2 * 0.59,
        }
    )


def test_contempt_has_no_place_of_its_own() -> None:
    rows = derive_affect(table({"happiness": 0.6, "contempt": 0.4}, {"contempt": 0.8, "neutral": 0.2}), EMOTIONS)
    assert rows["valence_experimental"].tolist() == pytest.approx([0.81, np.nan], nan_ok=True)
    assert rows["expressiveness"].tolist() == pytest.approx([1.0, 0.8])


def test_smoothed_columns_and_gaps() -> None:
    rows = table({"neutral": 1.0}, {"fear": 1.0}).add_suffix("_smoothed")
    rows.loc[1] = np.nan
    affect = derive_affect(rows, EMOTIONS, suffix="_smoothed")
    assert affect["expressiveness"].tolist() == pytest.approx([0.0, np.nan], nan_ok=True)
    assert affect["arousal_experimental"].tolist() == pytest.approx([0.0, np.nan], nan_ok=True)


def test_a_missing_label_is_named() -> None:
    with pytest.raises(UsageError, match="no column fear in the table"):
        derive_affect(table({}).drop(columns="fear"), EMOTIONS)
    with pytest.raises(UsageError, match="no column neutral in the table"):
        derive_affect(pd.DataFrame({"happiness": [1.0]}), ["happiness"])


@given(st.lists(st.floats(0.01, 1), min_size=7, max_size=7))
def test_affect_stays_within_the_coordinates(weights: list[float]) -> None:
    shares = np.array(weights) / sum(weights)
    (row,) = derive_affect(pd.DataFrame([shares], columns=list(FER2013_EMOTIONS)), FER2013_EMOTIONS).to_dict("records")
    valences, arousals = zip(*VALENCE_AROUSAL.values(), strict=True)
    assert min(valences) <= row["valence_experimental"] <= max(valences)
    assert min(arousals) <= row["arousal_experimental"] <= max(arousals)
