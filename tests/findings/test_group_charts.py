from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np
import pandas as pd
import pytest
from group_studies import study
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from videmo.datatypes import UInt8Array
from videmo.emotion.labels import EMOTIONS
from videmo.findings.aggregate import mean_curves, stimuli
from videmo.findings.comparison import compare_groups
from videmo.findings.curve_charts import draw_curves
from videmo.findings.group_charts import write_group_charts, write_respondent_charts
from videmo.findings.respondent_charts import draw_heat_map, draw_respondent, draw_ribbons
from videmo.palette import expression_colours


def pixels_of(figure: Figure) -> UInt8Array:
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., :3]  # type: ignore[attr-defined]


def patch_at(figure: Figure, ax: Axes, time_s: float, level: float) -> UInt8Array:
    """Return 15 x 15 px around a place: more than the distance of two hatches."""
    pixels = pixels_of(figure)
    x, y = ax.transData.transform((time_s, level))
    row, column = len(pixels) - 1 - int(y), int(x)
    return pixels[row - 7 : row + 8, column - 7 : column + 8]


def is_hatched(patch: UInt8Array) -> bool:
    colours = {tuple(int(value) for value in pixel) for pixel in patch.reshape(-1, 3)}
    return (255, 255, 255) in colours and len(colours) > 1 and all(max(c) - min(c) == 0 for c in colours)


def words_of(figure: Figure) -> str:
    texts = [text.get_text() for ax in [figure, *figure.axes] for text in ax.texts]
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    legends = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    return " | ".join([*texts, *titles, *legends])


@pytest.fixture(scope="module")
def epochs() -> pd.DataFrame:
    return study(60, conditions=("control", "gain", "loss"), seed=2)


def test_curves_are_the_means_and_clusters_are_marked(epochs: pd.DataFrame) -> None:
    curves = mean_curves(epochs, ["happiness", "surprise"], by="condition", resamples=200)
    compared = compare_groups(epochs, ["happiness", "surprise"], by="condition")
    figure = draw_curves(curves, compared, "spot")
    happiness, surprise, usable = figure.axes
    rows = curves[(curves["signal"] == "happiness") & (curves["group"] == "gain")]
    np.testing.assert_array_equal(happiness.lines[1].get_ydata()[::2], rows["mean"])
    np.testing.assert_array_equal(happiness.lines[1].get_xdata()[1::2], rows["epoch_end_s"])
    np.testing.assert_array_equal(usable.lines[1].get_ydata()[::2], rows["respondents"])
    found = compared[(compared["cluster"] > 0) & (compared["p_corrected"] < 0.05)]
    assert len(found[found["signal"] == "happiness"]) >= 2
    for ax, signal in ((happiness, "happiness"), (surprise, "surprise")):
        marks = [line.get_xdata() for line in ax.lines[3:]]
        of_signal = found[found["signal"] == signal]
        assert [list(mark) for mark in marks] == of_signal[["start_s", "end_s"]].to_numpy().tolist()
    assert "control > gain, p" in words_of(figure)
    assert is_hatched(patch_at(figure, happiness, 62.5, 0.5))
    assert not is_hatched(patch_at(figure, happiness, 80, 0.7))
    assert "95 % confidence" in words_of(figure)


def test_marks_stay_above_the_curves(epochs: pd.DataFrame) -> None:
    curves = mean_curves(epochs, ["happiness"], by="condition", resamples=200)
    figure = draw_curves(curves, compare_groups(epochs, ["happiness"], by="condition"), "")
    figure.canvas.draw()
    ax = figure.axes[0]
    lowest = min(text.get_window_extent().y0 for text in ax.texts)
    assert lowest > ax.transData.transform((0, curves["high"].max()))[1]


def test_a_long_legend_is_wrapped_between_title_and_plots() -> None:
    names = [f"a condition, no {i:02}" for i in range(12)]
    curves = mean_curves(study(24, 30, conditions=names), ["happiness"], by="condition", resamples=50)
    figure = draw_curves(curves, None, "spot")
    figure.canvas.draw()
    (legend,), (title, _) = figure.legends, figure.texts
    box = legend.get_window_extent()
    assert [text.get_text() for text in legend.get_texts()] == names
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.x1
    assert title.get_window_extent().y0 >= box.y1 - 3
    assert box.y0 >= figure.axes[0].get_window_extent().y1 - 3
    assert figure.axes[0].get_window_extent().height == pytest.approx(140, abs=1)


def test_a_group_called_all_beside_others_is_named() -> None:
    epochs = study(6, 30, conditions=("all", "some"))
    figure = draw_curves(mean_curves(epochs, ["happiness"], by="condition", resamples=50), None, "spot")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["all", "some"]
    (stimulus,) = stimuli(epochs, "condition")
    for drawn in (draw_heat_map(stimulus, "happiness", "spot"), draw_ribbons(stimulus, EMOTIONS, "spot")):
        assert "all: 3 respondents" in words_of(drawn)


def test_a_group_has_one_look_under_all_stimuli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Figure] = []

    def keep(*given: Any, **options: Any) -> Figure:
        drawn.append(draw_curves(*given, **options))
        return drawn[-1]

    monkeypatch.setattr("videmo.findings.group_charts.draw_curves", keep)
    ads = [study(6, 20, conditions=groups).assign(stimulus=name) for name, groups in (("a", ["x", "y"]), ("b", ["y"]))]
    epochs = pd.concat(ads, ignore_index=True)
    write_group_charts(epochs, EMOTIONS, mean_curves(epochs, ["happiness"], by="condition"), tmp_path, by="condition")
    first, second = (figure.axes[0].lines for figure in drawn)
    assert (len(first), len(second)) == (2, 1)
    assert (second[0].get_color(), second[0].get_linestyle()) == (first[1].get_color(), first[1].get_linestyle())
    assert [[text.get_text() for text in figure.legends[0].get_texts()] for figure in drawn] == [["x", "y"], ["y"]]


def test_small_changes_are_drawn_small() -> None:
    epochs = study(6, 20)
    epochs["contempt"] = 0.01 * epochs["happiness"]
    curves = mean_curves(epochs, ["contempt"])
    low, high = draw_curves(curves, None, "spot").axes[0].get_ylim()
    assert (low, high) == pytest.approx((0.0, 0.216))


def test_all_respondents_together_have_no_legend() -> None:
    curves = mean_curves(study(3, conditions=("a",)), ["happiness", "valence_experimental"], resamples=100)
    figure = draw_curves(curves, None, "spot")
    assert figure.legends == []
    happiness, valence, _ = figure.axes
    assert happiness.get_ylim()[0] == 0.0
    assert valence.get_ylim()[0] < 0.0


@pytest.mark.parametrize("n", [3, 12, 60, 300])
def test_heat_maps_show_every_respondent_and_what_is_missing(n: int) -> None:
    (stimulus,) = stimuli(study(n, conditions=("a",)))
    figure = draw_heat_map(stimulus, "happiness", "spot")
    ax = figure.axes[0]
    image = ax.images[0].get_array()
    np.testing.assert_array_equal(image.filled(np.nan), stimulus.matrix("all", "happiness").to_numpy())
    assert is_hatched(patch_at(figure, ax, 62.5, n / 2))
    assert figure.get_figheight() < 12
    names = [label for label in ax.get_yticklabels() if label.get_text()]
    assert len(names) == n if n <= 60 else 50 <= len(names) <= 80
    boxes = sorted((label.get_window_extent() for label in names), key=lambda box: box.y0)
    assert all(above.y0 >= below.y1 - 1.5 for below, above in pairwise(boxes))
    assert f"{n} respondents" in words_of(figure)


def test_heat_maps_of_changes_are_even_around_nothing(epochs: pd.DataFrame) -> None:
    changed = epochs.assign(happiness_change=epochs["happiness"] - 0.3)
    figure = draw_heat_map(next(stimuli(changed)), "happiness_change", "spot")
    assert figure.axes[0].images[0].get_clim() == (-0.7, 0.7)
    assert "hatched: not seen, not usable, or without a baseline" in words_of(figure)
    middle = figure.axes[0].images[0].get_cmap()(0.5)
    assert np.ptp(middle[:3]) < 0.03
    assert min(middle[:3]) > 0.95


def test_ribbons_have_the_colour_of_the_likeliest_expression(epochs: pd.DataFrame) -> None:
    (stimulus,) = stimuli(epochs, "condition")
    figure = draw_ribbons(stimulus, EMOTIONS, "spot")
    shares, ribbons = figure.axes[:2]
    group = epochs[epochs["condition"] == "control"]
    first = group[group["respondent"] == group["respondent"].min()].set_index("epoch_start_s")
    pixels = ribbons.images[0].get_array()
    colours = expression_colours(EMOTIONS)
    for second in (0, 20, 38):
        expected = colours[EMOTIONS.index(first.loc[second, list(EMOTIONS)].astype(float).idxmax())]
        assert pixels[0, second].tolist() == [*expected, 255]
    assert (pixels[:, 62, 3] == 0).all()
    assert is_hatched(patch_at(figure, shares, 62.5, 0.5))
    # At 37 s all of them smile.
    assert patch_at(figure, shares, 37.5, 0.5)[7, 7].tolist() == colours[1].tolist()
    assert [ax.get_title(loc="left") for ax in figure.axes[::2]] == [
        "control: 20 respondents", "gain: 20 respondents", "loss: 20 respondents",
    ]  # fmt: skip


def test_respondents_have_a_row_for_each_recording(epochs: pd.DataFrame) -> None:
    own = epochs[epochs["respondent"] == "r03"]
    second = own.assign(video_id="again", stimulus="film", epoch_start_s=own["epoch_start_s"] + 100.0)
    both = pd.concat([own, second.assign(epoch_end_s=second["epoch_start_s"] + 1)])
    figure = draw_respondent(both, EMOTIONS, "Respondent r03")
    assert [ax.get_ylabel() for ax in figure.axes] == ["film\nagain", "spot\nr03"]
    assert figure.axes[0].get_xlim() == (0.0, 190.0)
    assert is_hatched(patch_at(figure, figure.axes[1], 62.5, 0.5))


def test_long_names_in_any_script_are_cut_for_the_file_system(tmp_path: Path) -> None:
    epochs = study(3, length=20, conditions=("a",)).replace({"respondent": {"r00": "視" * 90, "r01": "視" * 91}})
    paths = write_respondent_charts(epochs, EMOTIONS, tmp_path)
    assert [path.name for path in paths] == [
        "respondent_r02.png", f"respondent_{'視' * 36}.png", f"respondent_{'視' * 36}-2.png"
    ]  # fmt: skip


def test_files_are_pictures_with_safe_names_of_their_own(tmp_path: Path) -> None:
    epochs = study(6, length=40)
    epochs["stimulus"] = np.where(epochs["respondent"] < "r03", "a/b: $x_1$", "a?b: $x_1$")
    curves = mean_curves(epochs, ["happiness"], resamples=50)
    paths = write_group_charts(epochs, EMOTIONS, curves, tmp_path)
    assert [path.name for path in paths] == [
        "curves_a-b-x_1-.png", "heat_a-b-x_1-_happiness.png", "ribbons_a-b-x_1-.png",
        "curves_a-b-x_1--2.png", "heat_a-b-x_1-_happiness-2.png", "ribbons_a-b-x_1--2.png",
    ]  # fmt: skip
    for path in paths:
        picture = cv2.imread(str(path))
        assert picture is not None
        assert picture.shape[1] == 1400
    (path, *_) = write_respondent_charts(epochs, EMOTIONS, tmp_path, form="svg")
    assert path.name == "respondent_r00.svg"
    assert ElementTree.parse(path).getroot().tag.endswith("svg")
    assert not list(tmp_path.glob("*.partial"))
