"""Every wrong input gets one line with file, cause and way out, the documented exit code, and harms no other."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import synthetic

Cli = Callable[..., tuple[int, str, str]]


def one_line(err: str) -> str:
    lines = err.strip().splitlines()
    assert len(lines) == 1, err
    assert "Traceback" not in err
    return lines[0]


@pytest.fixture
def bad_folder(clip: Path, tmp_path: Path) -> Path:
    """A folder with one good clip and one of each kind of bad one."""
    folder = tmp_path / "videos"
    folder.mkdir()
    shutil.copy(clip, folder / "good.mp4")
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("this is not a video\n" * 50)
    shutil.copy(clip, folder / "no_index.mp4")
    synthetic.truncate(folder / "no_index.mp4", 0.5)
    synthetic.write_clip(folder / "cut.mkv", (p for p, _ in synthetic.moving_face(50)), audio=False)
    synthetic.truncate(folder / "cut.mkv", 0.6)
    (folder / "broken_link.mp4").symlink_to(folder / "gone.mp4")
    return folder


def test_bad_files_are_named_and_the_good_one_is_done(bad_folder: Path, run_cli: Cli, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, told, err = run_cli("analyze", bad_folder, bad_folder / "absent.mp4", "--out", out, "--no-charts")
    assert code == 3
    assert "2 of 7 videos" in told
    assert "Traceback" not in err
    videos = pd.read_parquet(out / "videos.parquet").set_index("video_id")
    assert (videos["status"] == "done").sum() == 2
    assert videos.loc["good", "frames_decoded"] == 40
    assert any("truncated" in warning for warning in videos.loc["cut", "warnings"])
    assert 0 < videos.loc["cut", "frames_decoded"] < 50
    for name, cause in {
        "empty.mp4": "empty",
        "text.mp4": "not a video",
        "no_index.mp4": "truncated",
        "broken_link.mp4": "broken link",
        "absent.mp4": "no such file",
    }.items():
        line = next(line for line in err.splitlines() if line.startswith("failed: ") and name in line)
        assert cause in line, line
        assert videos.loc[name.removesuffix(".mp4"), "error"] in line
    written = {path.name for path in out.rglob("*") if path.is_file()}
    assert {"good.mp4", "cut.mp4"} <= written
    assert not [name for name in written if "partial" in name or "text" in name]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--detector", "nose"], "unknown detector 'nose': known are haar, neural, yunet"),
        (["--model", "nobody"], "unknown preset 'nobody': known for emotion are "),
        (["--stride", "0"], "setting stride = 0 cannot be used"),
        (["--fps", "2", "--stride", "2"], "either fps or stride"),
        (["--start", "5", "--end", "2"], "setting end_s = 2.0 cannot be used"),
        (["--device", "tpu"], "expected auto | cpu | gpu"),
        (["--overwrite", "--resume"], "choose one"),
        (["--detector", "yunet"], "--detector-model"),
        (["--detector", "haar", "--detector-model", "mine"], "detector haar takes no model: leave out --detector"),
        (["--detector-model", "nobody"], "unknown preset 'nobody': known for detection are "),
        (["--detector-model", "ferplus-resnet-48"], "preset ferplus-resnet-48 is made for emotion, not for detection"),
        (["--anonymize", "blur", "--no-video"], "which --no-video leaves out: choose one"),
        (["--config", "absent.toml"], "absent.toml: cannot read the configuration"),
    ],
)
def test_wrong_options_are_usage_errors(
    arguments: list[str], expected: str, clip: Path, run_cli: Cli, tmp_path: Path
) -> None:
    for further in (["--dry-run"], []):
        code, _, err = run_cli("analyze", clip, "--out", tmp_path / "out", *arguments, *further)
        assert code == 2
        assert expected in one_line(err)


def test_empty_folder_and_empty_glob_are_usage_errors(run_cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    for wanted in (tmp_path / "nothing", tmp_path / "*.mp4"):
        code, _, err = run_cli("analyze", wanted, "--out", tmp_path / "out")
        assert code == 2
        assert str(wanted) in one_line(err)


@pytest.mark.parametrize(("runtime", "weights"), [("auto", "openvino.zip"), ("keras", "model.keras")])
def test_corrupt_weights_are_refused_by_name(
    runtime: str, weights: str, clip: Path, run_cli: Cli, tmp_path: Path
) -> None:
    from videmo.presets import find_preset

    copy = shutil.copytree(find_preset("ferplus-resnet-48", "emotion").folder, tmp_path / "mine")
    (copy / weights).write_bytes(b"PK\x03\x04" + b"\0" * 1000)
    code, _, err = run_cli("analyze", clip, "--out", tmp_path / "out", "--model", copy, "--runtime", runtime)
    assert code == 2
    assert f"{weights} is corrupt" in one_line(err)


def test_no_permission_on_the_output(clip: Path, run_cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, *_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)  # root, as in CI, may write everywhere
    code, _, err = run_cli("analyze", clip, "--out", tmp_path / "locked")
    assert code == 1
    assert "locked: cannot be written: Permission denied; choose a folder" in one_line(err)


def test_no_permission_on_the_input(clip: Path, run_cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import videmo.video.files as video_files

    def refuse(path: Path, check: object) -> str:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(video_files, "hash_file", refuse)
    code, _, err = run_cli("analyze", clip, "--out", tmp_path / "out")
    assert code == 3
    assert f"failed: {clip}: cannot be read (Permission denied): check" in err


@pytest.mark.parametrize("place", [0, 2, 4])
def test_verbose_shows_the_traceback_wherever_it_stands(place: int, clip: Path, run_cli: Cli, tmp_path: Path) -> None:
    arguments = ["analyze", clip, "--out", tmp_path / "out", "--detector", "nose"]
    arguments.insert(place, "-v")
    code, _, err = run_cli(*arguments)
    assert code == 2
    assert "Traceback" in err
    assert "UsageError" in err


def test_interrupt_ends_with_130_and_says_how_to_go_on(
    clip: Path, run_cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import videmo.analysis.run as run_module

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run_module, "run_lanes", interrupted)
    code, _, err = run_cli("analyze", clip, "--out", tmp_path / "out")
    assert code == 130
    assert "--resume" in one_line(err)
    assert pd.read_parquet(tmp_path / "out" / "videos.parquet")["status"].tolist() == ["cancelled"]
    assert not list((tmp_path / "out" / "frames").iterdir())
