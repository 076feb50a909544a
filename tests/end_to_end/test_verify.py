"""`videmo verify` finds what changed, and nothing that videmo did on purpose."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import synthetic

import videmo
from videmo.analysis import verify
from videmo.datatypes import RunReport
from videmo.errors import UsageError
from videmo.output.checksums import CHECKSUMS
from videmo.presets import find_preset

Cli = Callable[..., tuple[int, str, str]]
PLAIN = videmo.Settings(annotated_video=False, charts=False, jobs=1)
RESUME = PLAIN.merged({"existing": "resume"})
OUTPUTS = [
    "annotated/face.mp4",
    "charts/face.png",
    "faces/face.parquet",
    "frames/face.parquet",
    "run.json",
    "tracks.parquet",
    "videos.parquet",
]


@pytest.fixture
def copy(run: tuple[Path, RunReport], tmp_path: Path) -> Path:
    """A copy of a finished run that a test may change."""
    return Path(shutil.copytree(run[0], tmp_path / "run"))


def harmed(out: Path) -> dict[str, str]:
    """Return the status of what is no longer as it was, by name."""
    checks = verify(out)
    return dict(checks.loc[checks["harms"], ["name", "status"]].itertuples(index=False))


def flip(path: Path, at: float = 0.5) -> None:
    """Change one bit of a file."""
    data = bytearray(path.read_bytes())
    data[int(len(data) * at)] ^= 1
    path.write_bytes(data)


def test_nothing_changed(copy: Path, clip: Path, run_cli: Cli) -> None:
    code, told, _ = run_cli("verify", copy)
    assert (code, told) == (0, "inputs: 1 unchanged\npresets: 2 unchanged\noutputs: 7 unchanged\n")
    checks = verify(copy)
    assert checks.loc[checks["kind"] == "output", "name"].tolist() == OUTPUTS
    assert checks.loc[checks["kind"] == "input", "name"].tolist() == [str(clip)]
    assert checks.loc[checks["kind"] == "preset", "name"].tolist() == ["faces-fpn-64", "ferplus-resnet-48"]
    assert checks["cause"].isna().all()


@pytest.mark.parametrize("name", OUTPUTS)
def test_one_bit_of_any_file_and_any_missing_file_are_found(name: str, copy: Path, run_cli: Cli) -> None:
    for at in (0, 0.5, 0.999):
        flip(copy / name, at)
        assert harmed(copy) == {name: "changed"}
        flip(copy / name, at)
    assert not harmed(copy)
    (copy / name).unlink()
    code, told, _ = run_cli("verify", copy)
    assert code == 1
    assert f"missing: output {name}: removed after the run" in told


def test_formats_agree(copy: Path, run_cli: Cli, tmp_path: Path) -> None:
    flip(copy / "tracks.parquet")
    csv = pd.read_csv(io.StringIO(run_cli("verify", copy, "--format", "csv")[1]))
    records = pd.DataFrame(json.loads(run_cli("verify", copy, "--format", "json")[1]))
    assert run_cli("verify", copy, "--format", "parquet", "--output", tmp_path / "v.parquet")[0] == 1
    for other in (records, pd.read_parquet(tmp_path / "v.parquet")):
        assert other[["kind", "name", "status", "harms"]].equals(csv[["kind", "name", "status", "harms"]])
    assert csv.loc[csv["name"] == "tracks.parquet", "status"].item() == "changed"


def test_inputs_that_changed_or_went_are_found(tmp_path: Path) -> None:
    source, out = tmp_path / "a.mp4", tmp_path / "out"
    pictures = tmp_path / "pictures"
    shutil.copytree(synthetic_pictures(tmp_path / "made"), pictures)
    synthetic.moving_face_clip(source, duration_s=0.4)
    videmo.analyze([source, pictures], out, PLAIN)
    assert not harmed(out)
    flip(source)
    (pictures / "1.png").unlink()
    assert harmed(out) == {str(source): "changed", str(pictures): "changed"}
    source.unlink()
    shutil.rmtree(pictures)
    assert harmed(out) == {str(source): "missing", str(pictures): "missing"}


def synthetic_pictures(folder: Path) -> Path:
    import matplotlib.image

    folder.mkdir()
    for number, (picture, _) in enumerate(synthetic.moving_face(3)):
        matplotlib.image.imsave(folder / f"{number}.png", picture)
    return folder


def test_a_preset_that_changed_or_went_is_found(copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = tmp_path / "models"
    mine = shutil.copytree(find_preset("ferplus-resnet-48", "emotion").folder, models / "ferplus-resnet-48")
    monkeypatch.setenv("VIDEMO_MODELS", str(models))
    assert not harmed(copy)
    flip(mine / "openvino.zip")
    assert harmed(copy) == {"ferplus-resnet-48": "changed"}
    flip(mine / "openvino.zip")
    config = mine / "config.json"
    other = find_preset("fer2013-resnet-48", "emotion")
    shutil.copytree(other.folder, mine, dirs_exist_ok=True)
    assert harmed(copy) == {"ferplus-resnet-48": "changed"}
    config.write_text("{}")
    assert harmed(copy) == {"ferplus-resnet-48": "missing"}


def test_a_detector_of_ones_own_is_used_and_held_against_the_record(tmp_path: Path, run_cli: Cli) -> None:
    mine = shutil.copytree(find_preset("faces-fpn-64", "detection").folder, tmp_path / "mine")
    config = json.loads((mine / "config.json").read_text())
    (mine / "config.json").write_text(json.dumps(config | {"min_score": 0.999}))
    clip = synthetic.moving_face_clip(tmp_path / "face.mp4", duration_s=0.5)
    plain = ("--no-video", "--no-charts", "--detect-every", "3")

    assert run_cli("analyze", clip, "--out", tmp_path / "ours", *plain)[0] == 0
    assert run_cli("analyze", clip, "--out", tmp_path / "theirs", "--detector-model", mine, *plain)[0] == 0

    assert len(pd.read_parquet(tmp_path / "ours" / "faces")) > 0
    assert len(pd.read_parquet(tmp_path / "theirs" / "faces")) == 0  # nothing is that sure
    assert not harmed(tmp_path / "theirs")
    shutil.rmtree(mine)
    assert harmed(tmp_path / "theirs") == {str(mine): "missing"}


def test_what_commands_add_is_no_damage_but_a_strange_table_is(copy: Path, run_cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "who.csv").write_text("video_id,track_id,identity\nface,1,Eileen\n")
    assert run_cli("identities", copy, "--decisions", tmp_path / "who.csv")[0] == 0
    assert run_cli("render", copy, "--anonymize", "box")[0] == 0
    (copy / "report.html").write_text("page")
    for table in ("findings/videos.parquet", "groups/curves.parquet"):
        (copy / table).parent.mkdir()
        (copy / table).write_text("table")
    (copy / "notes.txt").write_text("mine")
    code, told, _ = run_cli("verify", copy)
    assert code == 0, told
    assert told.splitlines() == [
        "added: output findings/videos.parquet: by `videmo report`",
        "added: output groups/curves.parquet: not by the run",
        "added: output identities.csv: by `videmo identities`",
        "added: output notes.txt: not by the run",
        "added: output report.html: by `videmo report`",
        "inputs: 1 unchanged",
        "presets: 2 unchanged",
        "outputs: 5 added, 7 unchanged",
    ]
    shutil.copy(copy / "faces" / "face.parquet", copy / "faces" / "twice.parquet")
    assert harmed(copy) == {"faces/twice.parquet": "added"}


def test_a_run_that_goes_on_keeps_its_record_and_hides_no_damage(tmp_path: Path) -> None:
    out, study = tmp_path / "out", tmp_path / "study.csv"
    clips = [synthetic.moving_face_clip(tmp_path / f"{name}.mp4", duration_s=0.4) for name in "ab"]
    study.write_text("file,respondent\na.mp4,r1\nb.mp4,r2\n")
    videmo.analyze(clips, out, PLAIN)
    first = (out / CHECKSUMS).read_text()
    assert all(video.resumed for video in videmo.analyze(clips, out, RESUME).videos)
    kept = {line for line in first.splitlines() if "/" in line}
    assert kept <= set((out / CHECKSUMS).read_text().splitlines())
    videmo.analyze(clips, out, RESUME, manifest=study)
    assert not harmed(out), "the study's columns were written on purpose"
    assert not kept & set((out / CHECKSUMS).read_text().splitlines())
    videmo.analyze(clips, out, RESUME.merged({"charts": True, "stride": 2}), manifest=study)
    assert not harmed(out), "analysed again on purpose"
    flip(out / "charts" / "a.png")
    videmo.analyze(clips, out, RESUME.merged({"charts": True, "stride": 2}))
    assert harmed(out) == {"charts/a.png": "changed"}


def test_a_run_that_never_ended_has_nothing_to_verify_against(copy: Path, run_cli: Cli) -> None:
    (copy / CHECKSUMS).write_text("no checksum\n")
    with pytest.raises(UsageError, match=f"{CHECKSUMS}, line 1: no checksum: restore the file"):
        verify(copy)
    (copy / CHECKSUMS).unlink()
    code, _, err = run_cli("verify", copy)
    assert code == 2
    assert "no run has ended here, or an older videmo's: go on with `videmo analyze --resume`" in err


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="needs sha256sum")
def test_sha256sum_reads_the_record(copy: Path) -> None:
    done = subprocess.run(["sha256sum", "--check", "--strict", CHECKSUMS], cwd=copy, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(": OK") == len(OUTPUTS)
