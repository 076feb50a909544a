from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from scored_frames import scored_frames, video_info

from videmo.datatypes import UInt8Array
from videmo.emotion.labels import EMOTIONS
from videmo.findings.charts import MOST_TRACKS, draw_timeline, write_chart
from videmo.output.parquet import TablesSink
from videmo.palette import expression_colours

LABELS = ("neutral", "happiness")


def tables(seen: dict[int, range], frames: int = 100, cut_at: int | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return 10 s of frames, and faces that are happy in the second half of the video."""
    index = np.arange(frames)
    times_s = index * 10 / frames
    shots = (index >= cut_at).astype(int) if cut_at is not None else 0 * index
    frame_table = pd.DataFrame({"video_id": "v", "frame_index": index, "time_s": times_s, "shot": shots})
    pairs = sorted((row, track_id) for track_id, rows in seen.items() for row in rows)
    at = np.array([row for row, _ in pairs], int)
    happiness = (at >= frames // 2).astype(float)
    face_table = pd.DataFrame(
        {
            "frame_index": at, "time_s": times_s[at], "track_id": [track_id for _, track_id in pairs],
            "neutral": 1 - happiness, "happiness": happiness, **dict.fromkeys(("x1", "y1", "x2", "y2"), 0.0),
        }
    )  # fmt: skip
    return frame_table, face_table


def pixels_of(figure: Figure) -> UInt8Array:
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., :3]  # type: ignore[attr-defined]


def colour_at(figure: Figure, row: int, time_s: float, level: float = 0.5) -> list[int]:
    pixels = pixels_of(figure)
    x, y = figure.axes[row].transData.transform((time_s, level))
    return [int(value) for value in pixels[len(pixels) - 1 - int(y), int(x)]]


def words_of(figure: Figure) -> str:
    return " ".join(text.get_text() for ax in [figure, *figure.axes] for text in ax.texts)


def test_colours_follow_the_probabilities_and_gaps_are_white() -> None:
    frames, faces = tables({1: range(100), 4: range(20, 60)})
    figure = draw_timeline(frames, [faces], LABELS, "clip")
    neutral, happiness = expression_colours(LABELS).tolist()
    assert colour_at(figure, 0, 2.5) == neutral
    assert colour_at(figure, 0, 7.5) == happiness
    assert [colour_at(figure, 1, time_s) for time_s in (1.0, 3.0, 5.5, 8.0)] == [
        [255] * 3, neutral, happiness, [255] * 3,
    ]  # fmt: skip
    assert [ax.get_ylabel() for ax in figure.axes] == ["track 1\n10.0 s", "track 4\n4.0 s"]
    assert figure.axes[-1].get_xlabel() == "time (s)"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(LABELS)


def test_tracks_without_a_usable_face_are_counted() -> None:
    frames, faces = tables({1: range(100), 4: range(20, 60), 5: range(10)})
    faces["usable"] = faces["track_id"] == 1
    figure = draw_timeline(frames, [faces[:40], faces[40:]], LABELS, "clip")
    assert [ax.get_ylabel() for ax in figure.axes] == ["track 1\n10.0 s"]
    assert words_of(figure).endswith("without a row: 2 tracks never usable")


def test_tracks_are_called_as_they_were_decided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tables(tmp_path, "a", [2, 2])
    (tmp_path / "identities.csv").write_text("video_id,track_id,identity\na,2,$Anna_1$\n")
    drawn: list[Figure] = []
    monkeypatch.setattr("videmo.findings.charts.save_chart", lambda figure, _: drawn.append(figure))
    write_chart(tmp_path, "a")
    names = [ax.yaxis.label for ax in drawn[0].axes]
    assert [name.get_text().split("\n")[0] for name in names] == ["track 1", "$Anna_1$"]
    assert not any(name.get_parse_math() for name in names)


def test_pieces_draw_the_same_chart_as_the_whole() -> None:
    frames, faces = tables({1: range(100), 2: range(30, 70)})
    whole = pixels_of(draw_timeline(frames, [faces], LABELS, "clip"))
    pieces = pixels_of(draw_timeline(frames, [faces[:33], faces[33:34], faces[34:]], LABELS, "clip"))
    np.testing.assert_array_equal(whole, pieces)


def test_cuts_are_marked() -> None:
    frames, faces = tables({1: range(100)}, cut_at=30)
    figure = draw_timeline(frames, [faces], LABELS, "clip")
    (lines,) = figure.axes[0].collections
    assert [path.vertices[0][0] for path in lines.get_paths()] == [pytest.approx(3.0)]
    assert figure.legends[0].get_texts()[-1].get_text() == "cut"


def test_a_video_without_faces_says_so() -> None:
    frames, faces = tables({})
    figure = draw_timeline(frames, [faces], LABELS, "clip")
    assert "no usable face was found in the 100 frames analysed" in words_of(figure)


def test_many_tracks_share_the_last_row_and_the_chart_says_so() -> None:
    seen = {track_id: range(track_id) for track_id in range(1, 31)}
    frames, faces = tables(seen)
    figure = draw_timeline(frames, [faces], LABELS, "clip")
    names = [ax.get_ylabel().split("\n")[0] for ax in figure.axes]
    assert names == [*(f"track {track_id}" for track_id in range(11, 31)), "10 others"]
    assert len(figure.axes) == MOST_TRACKS + 1
    # 1 + ... + 10 of 1 + ... + 30 frames, 0.1 s each.
    assert "30 tracks: the 20 longest have rows of their own" in words_of(figure)
    assert "mean of the other 10 (5.5 s, 12% of the time" in words_of(figure)


def test_an_hour_is_averaged_over_time() -> None:
    frames, faces = tables({1: range(90_000)}, frames=90_000)
    frames["time_s"] *= 360
    faces["time_s"] *= 360
    faces.loc[::2, ["neutral", "happiness"]] = [1.0, 0.0]
    figure = draw_timeline(frames, [faces], LABELS, "clip")
    neutral, happiness = expression_colours(LABELS).tolist()
    # Every other frame of the second half is happy: the lower half of the stack is neutral.
    assert colour_at(figure, 0, 2700, 0.25) == neutral
    assert colour_at(figure, 0, 2700, 0.75) == happiness


@pytest.mark.parametrize("title", ["a_b^c $x_1$", "会議 🙂.mp4", "x" * 200])
def test_any_title_can_be_drawn(title: str) -> None:
    frames, faces = tables({1: range(10)})
    assert pixels_of(draw_timeline(frames, [faces], LABELS, title)).shape[1] == 1400


def write_tables(out: Path, video_id: str, counts: list[int]) -> None:
    video = video_info(out, video_id=video_id)
    sink = TablesSink(out, video, EMOTIONS, {})
    for item in scored_frames(video, counts):
        sink.write(item)
    sink.close()


def test_charts_are_written_from_several_threads(tmp_path: Path) -> None:
    for video_id in ("a", "b", "nobody", "empty"):
        write_tables(tmp_path, video_id, {"nobody": [0, 0], "empty": []}.get(video_id, [1, 2, 2]))
    with ThreadPoolExecutor(4) as pool:
        paths = list(pool.map(lambda video_id: write_chart(tmp_path, video_id), ["a", "b", "nobody", "empty"]))
    assert [path.relative_to(tmp_path).as_posix() for path in paths] == [
        "charts/a.png", "charts/b.png", "charts/nobody.png", "charts/empty.png",
    ]  # fmt: skip
    for path in paths:
        picture = cv2.imread(str(path))
        assert picture is not None
        assert picture.shape[1] == 1400
    assert not list((tmp_path / "charts").glob("*.partial"))
