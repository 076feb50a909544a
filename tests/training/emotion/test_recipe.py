from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from videmo.errors import UsageError
from videmo.training.emotion.augment import Augmentation
from videmo.training.emotion.recipe import Recipe
from videmo.training.emotion.recipe_file import make_recipe, read_recipe, write_recipe


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


def test_faces_are_changed_and_mixed_less_in_the_gentle_end() -> None:
    recipe = Recipe(gentle=0.25, gentle_strength=0.1, augmentation=Augmentation(mixup=0.2, cutmix=0.5, flip=0.5))

    assert recipe.augmentation_at(0.7) == recipe.augmentation
    ending = recipe.augmentation_at(0.8)
    assert (ending.rotation_deg, ending.mixup, ending.cutmix) == pytest.approx((1.5, 0.02, 0.05))
    assert ending.flip == 0.5
    assert Recipe().augmentation_at(0.99) == Recipe().augmentation


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"minutes": 0.0}])
def test_an_empty_schedule_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="cannot be used"):
        Recipe(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [{"width": 0.0}, {"dropout": 1.0}, {"distil_weight": 1.1}, {"batch": 0}, {"sides_px": ((0.5, 48),)}]
    + [{"dtype": "float8"}, {"weight_decay": -1.0}, {"ema": 2.0}, {"warm_up": 1.0}, {"seed": -1}]
    + [{"gentle": 1.5}, {"gentle_strength": -0.1}]
    + [{"prior_strength": -0.5}, {"learning_rate": 0.0}]
    + [{"sides_px": ()}, {"sides_px": ((0.0, 12),)}, {"sides_px": ((0.0, 24), (0.9, 48), (0.5, 36))}],
)
def test_a_value_out_of_range_is_named(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=f"{next(iter(wrong))} = .* cannot be used: expected"):
        Recipe(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [{"erase_side": (0.4, 1.3)}, {"erase_side": (0.5, 0.2)}, {"mixup": -0.2}, {"noise": -3.0}]
    + [{"flip": 1.5}, {"cutmix": -0.1}, {"rotation_deg": float("nan")}],
)
def test_an_augmentation_out_of_range_is_named(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=f"{next(iter(wrong))} = .* cannot be used: expected"):
        Augmentation(**wrong)


def test_a_recipe_comes_back_from_its_file_and_from_the_config_of_a_preset(tmp_path: Path) -> None:
    recipe = Recipe(arch="convnext", width=1.5, minutes=3.0, teachers=("a", "b"), augmentation=Augmentation(cutmix=0.5))

    write_recipe(recipe, tmp_path / "recipe.toml")

    assert read_recipe(tmp_path / "recipe.toml") == recipe
    assert make_recipe(asdict(recipe)) == recipe
    assert make_recipe({}) == Recipe()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("learning_rte = 0.1", "unknown name 'learning_rte': did you mean learning_rate?"),
        ("zzz = 1", "unknown name 'zzz': known are arch, augmentation, batch"),
        ("[augmentation]\nflipp = 1", "unknown name 'flipp': did you mean flip?"),
        ("width = 'wide'", "width = 'wide' cannot be used: expected float"),
        ("epochs = 1.5", "epochs = 1.5 cannot be used: expected int"),
        ("epochs = true", "epochs = True cannot be used: expected int"),
        ("sides_px = [[0.0, 24, 3]]", "sides_px = "),
        ("augmentation = 3", "augmentation = 3 cannot be used"),
        ("epochs = 0", "epochs = 0 cannot be used"),
        ("epochs =", "not a TOML file"),
    ],
)
def test_a_wrong_recipe_file_is_told_in_one_line(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(text)

    with pytest.raises(UsageError) as error:
        read_recipe(path)

    assert str(path) in str(error.value)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_recipe_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.toml: cannot read the recipe"):
        read_recipe(tmp_path / "none.toml")
