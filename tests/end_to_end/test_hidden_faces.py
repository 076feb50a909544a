"""Faces that are to be hidden are hidden in every frame, whatever the detector missed in between."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pyarrow.parquet as pq
import pytest
from hidden_faces import DETECTORS, find_faces
from numpy.typing import NDArray
from synthetic import face_at, moving_face, moving_face_clip, plain, write_clip

import videmo
from videmo.analysis import render
from videmo.datatypes import RunReport

Cli = Callable[..., tuple[int, str, str]]
FACES = np.array([box for _, box in moving_face(40)])
"""Where the face of the clip is in each of its frames (40, 4) px."""


@pytest.fixture
def copy(run: tuple[Path, RunReport], tmp_path: Path) -> Path:
    """A copy of the run that a test may change."""
    return Path(shutil.copytree(run[0], tmp_path / "run"))


def pictures(path: Path, form: str = "rgb24") -> list[NDArray[np.uint8]]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format=form) for frame in container.decode(video=0)]


def frames_that_show(path: Path) -> list[int]:
    """Return the frames of a video in which the middle of the clip's face is not blackened."""
    middles = np.concatenate([FACES[:, :2] * 0.8 + FACES[:, 2:] * 0.2, FACES[:, :2] * 0.2 + FACES[:, 2:] * 0.8], axis=1)
    seen = pictures(path, "gray")
    assert len(seen) == len(FACES)
    return [
        index
        for index, (picture, (x1, y1, x2, y2)) in enumerate(zip(seen, middles.round().astype(int), strict=True))
        if np.mean(picture[y1:y2, x1:x2] < 40) < 0.85  # lines and tags may lie on top
    ]


@pytest.mark.parametrize("method", ["blur", "pixelate", "box"])
def test_hidden_faces_are_found_by_no_detector(method: str, copy: Path, run_cli: Cli) -> None:
    annotated = copy / "annotated" / "face.mp4"
    names = ("neural", "haar")
    shown = {name: [find_faces(DETECTORS[name](), *each) for each in located(annotated)] for name in names}
    assert all(np.mean(found) > 0.9 for found in shown.values())
    assert run_cli("render", copy, "--anonymize", method, "--no-labels")[0] == 0
    for name in names:
        assert [index for index, each in enumerate(located(annotated)) if find_faces(DETECTORS[name](), *each)] == []
    assert sum(len(item.faces) for item in videmo.stream(annotated)) == 0


def located(path: Path) -> list[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
    """Return each picture with the box of its face."""
    return [(picture, box[None]) for picture, box in zip(pictures(path), FACES, strict=True)]


def test_a_face_that_was_missed_for_a_moment_stays_hidden(copy: Path) -> None:
    assert frames_that_show(copy / "annotated" / "face.mp4") == list(range(40))
    missed = [*range(6), *range(14, 24), *range(36, 40)]
    for part in ("faces", "frames"):
        path = copy / part / "face.parquet"
        table = pq.read_table(path)
        kept = ~np.isin(table["frame_index"].to_numpy(), missed)
        if part == "faces":
            table = table.filter(kept)
        else:
            table = table.set_column(table.column_names.index("faces"), table.field("faces"), [kept.astype(np.int32)])
        pq.write_table(table, path)
    (hidden,) = render(copy, anonymize="box", labels_shown=False)
    assert frames_that_show(hidden) == []


@pytest.mark.parametrize("sampling", [{"stride": 6}, {"fps": 2.0}])
def test_frames_between_analysed_ones_do_not_show_a_face(
    sampling: dict[str, float], clip: Path, tmp_path: Path
) -> None:
    videmo.analyze([clip], tmp_path, videmo.Settings(**sampling, charts=False))
    (hidden,) = render(tmp_path, anonymize="box", labels_shown=False)
    assert frames_that_show(hidden) == []


def test_analyze_hides_at_once_and_says_what_that_is_worth(clip: Path, tmp_path: Path, run_cli: Cli) -> None:
    out = tmp_path / "out"
    told = ["analyze", clip, "--out", out, "--no-charts", "--progress", "none"]
    code, _, err = run_cli(*told, "--anonymize", "box", "--stride", "3")
    assert code == 0
    assert "note: faces are hidden where they were found" in err
    assert frames_that_show(out / "annotated" / "face.mp4") == []
    assert json.loads((out / "run.json").read_text())["settings"]["anonymize"] == "box"
    shown = videmo.Settings(stride=3)
    assert videmo.Settings(stride=3, anonymize="box").result_settings() == shown.result_settings(), "decides no number"


def test_a_run_gone_on_with_does_not_keep_videos_that_show_faces(clip: Path, tmp_path: Path) -> None:
    settings = {"fps": 5.0, "charts": False}
    videmo.analyze([clip], tmp_path, videmo.Settings(**settings))
    assert frames_that_show(tmp_path / "annotated" / "face.mp4") != []
    hidden = videmo.Settings(**settings, anonymize="box", existing="resume")
    assert not videmo.analyze([clip], tmp_path, hidden).videos[0].resumed
    assert frames_that_show(tmp_path / "annotated" / "face.mp4") == []
    assert videmo.analyze([clip], tmp_path, hidden).videos[0].resumed


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a clip with two faces; the left one is called Ann, the right one is not named."""
    folder = tmp_path_factory.mktemp("pair")
    canvas = plain(480, 240)
    for x_px in (20, 260):
        face_at(canvas, x_px, 30, 180)
    clip = write_clip(folder / "pair.mp4", [canvas] * 10)
    videmo.analyze([clip], folder / "out", videmo.Settings(charts=False))
    faces = pq.read_table(folder / "out" / "faces" / "pair.parquet").to_pandas()
    left = int(faces.loc[faces["x1"].idxmin(), "track_id"])
    (folder / "who.csv").write_text(f"video_id,track_id,identity\npair,{left},Ann\n")
    return folder


def test_all_but_those_named_are_hidden(pair: Path, run_cli: Cli) -> None:
    out = pair / "out"
    assert run_cli("identities", out, "--decisions", pair / "who.csv")[0] == 0
    assert run_cli("render", out, "--anonymize", "box", "--except", "Ann")[0] == 0
    left, right = (face_at(plain(480, 240), x_px, 30, 180)[None] for x_px in (20, 260))
    haar = DETECTORS["haar"]()
    for picture in pictures(out / "annotated" / "pair.mp4"):
        assert find_faces(haar, picture, left)
        assert not find_faces(haar, picture, right)


def test_hidden_people_are_not_named(pair: Path, run_cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    named: list[dict[int, str]] = []
    sink = videmo.output.annotated.AnnotatedVideoSink

    def note(*arguments: object, **options: object) -> object:
        named.append(options["names"])
        return sink(*arguments, **options)

    monkeypatch.setattr("videmo.analysis.rendering.AnnotatedVideoSink", note)
    assert run_cli("identities", pair / "out", "--decisions", pair / "who.csv")[0] == 0
    for options in ([], ["--anonymize", "blur"], ["--anonymize", "blur", "--except", "Ann"]):
        assert run_cli("render", pair / "out", *options)[0] == 0
    assert [list(names.values()) for names in named] == [["Ann"], [], ["Ann"]]


def test_an_identity_that_nobody_has_is_told(pair: Path, run_cli: Cli) -> None:
    out = pair / "out"
    assert run_cli("identities", out, "--decisions", pair / "who.csv")[0] == 0
    code, _, err = run_cli("render", out, "--anonymize", "box", "--except", "Anna")
    assert code == 2
    assert "no identity 'Anna' in these videos: known are Ann" in err
    assert run_cli("identities", out, "--clear")[0] == 0
    code, _, err = run_cli("render", out, "--anonymize", "box", "--except", "Ann")
    assert code == 2
    assert "nobody is named: use `videmo identities`" in err
    code, _, err = run_cli("render", out, "--except", "Ann")
    assert code == 2
    assert "say with --anonymize how the others are hidden" in err


@pytest.mark.parametrize("options", [[], ["--anonymize", "box"]])
def test_another_file_in_the_place_of_the_source_is_not_drawn_with_its_tables(
    options: list[str], tmp_path: Path, run_cli: Cli
) -> None:
    clip, out = moving_face_clip(tmp_path / "face.mp4", duration_s=0.4), tmp_path / "out"
    assert run_cli("analyze", clip, "--out", out, "--no-charts")[0] == 0
    drawn = (out / "annotated" / "face.mp4").read_bytes()
    write_clip(clip, (picture[:, ::-1] for picture, _ in moving_face(10)))
    code, _, err = run_cli("render", out, *options)
    assert code == 3
    assert err == f"videmo: {clip}: changed since it was analysed: restore it, or analyse it again\n"
    assert (out / "annotated" / "face.mp4").read_bytes() == drawn
