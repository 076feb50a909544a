from __future__ import annotations

import pytest

from videmo.errors import UsageError
from videmo.training.emotion.recipe import Recipe


def test_the_learning_rate_rises_then_falls_to_zero() -> None:
    recipe = Recipe(learning_rate=1.0, warm_up=0.1)
    rates = [recipe.learning_rate_at(step / 100) for step in range(101)]

    assert rates[0] == pytest.approx(0.02)
    assert max(rates) == rates[10] == pytest.approx(1.0)
    assert rates[:11] == sorted(rates[:11])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] == pytest.approx(0, abs=1e-9)


def test_sides_grow_at_their_shares_of_the_schedule() -> None:
    recipe = Recipe(sides_px=((0.0, 24), (0.5, 48)))

    assert [recipe.side_px_at(progress) for progress in (0, 0.49, 0.5, 1)] == [24, 24, 48, 48]


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"minutes": 0.0}])
def test_an_empty_schedule_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="cannot be used"):
        Recipe(**wrong)
