"""Settings: every wrong value is named in one line, files and Python agree."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from videmo.errors import UsageError
from videmo.settings import Settings, read_toml


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fps", 0),
        ("stride", 0),
        ("start_s", -1),
        ("end_s", 0),
        ("image_fps", 0),
        ("min_score", 1.5),
        ("detect_size_px", 16),
        ("min_face_px", 0),
        ("detect_every_frames", 0),
        ("detect_every_frames", 0.5),
        ("detect_every_s", 0),
        ("detect_every_s", -1.5),
        ("quality_min_face_px", -1),
        ("quality_max_cut_off", 1.5),
        ("quality_min_sharpness", -0.1),
        ("quality_max_yaw_deg", 91),
        ("quality_max_occlusion", 1.1),
        ("quality_min_score", "high"),
        ("jobs", 0),
        ("stall_limit_s", 0.0),
        ("stall_limit_s", math.inf),
        ("fps", math.inf),
        ("image_fps", math.inf),
        ("image_fps", 1e-8),
        ("detect_every_s", math.inf),
        ("batch_size", 0),
        ("device", "tpu"),
        ("existing", "maybe"),
        ("anonymize", "smear"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_what_is_allowed(name: str, value: Any) -> None:
    with pytest.raises(UsageError, match=rf"^setting {name} = {value!r} cannot be used: expected .+"):
        Settings(**{name: value})


def test_fps_and_stride_exclude_each_other() -> None:
    with pytest.raises(UsageError, match="either fps or stride"):
        Settings(fps=5, stride=2)


def test_detecting_by_time_and_by_frames_exclude_each_other() -> None:
    with pytest.raises(UsageError, match="either detect_every_s or detect_every_frames, not both"):
        Settings(detect_every_frames=2, detect_every_s=0.5)


def test_merged_takes_known_names_only() -> None:
    assert Settings(stride=3).merged({"jobs": 2}) == Settings(stride=3, jobs=2)
    with pytest.raises(UsageError, match=r"unknown setting 'job'; known: .*jobs"):
        Settings().merged({"job": 2})


@pytest.mark.parametrize("value", ["fast", [1], {"a": 1}])
def test_a_value_of_the_wrong_type_is_a_usage_error(value: Any) -> None:
    with pytest.raises(UsageError, match="fps"):
        Settings().merged({"fps": value})


def test_config_file_is_read_and_its_faults_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text('fps = 5.0\ndetector_model = "yunet.onnx"\nquality_max_yaw_deg = 30\n')
    expected = Settings(fps=5, detector_model=Path("yunet.onnx"), quality_max_yaw_deg=30)
    assert Settings().merged(read_toml(path, "configuration")) == expected
    path.write_text("fps = = 5")
    with pytest.raises(UsageError, match=r"run\.toml: not a TOML file"):
        read_toml(path, "configuration")
    with pytest.raises(UsageError, match=r"absent\.toml: cannot read the configuration"):
        read_toml(tmp_path / "absent.toml", "configuration")


def test_a_path_may_be_text_as_files_and_the_command_line_have_it() -> None:
    assert Settings().merged({"detector_model": "yunet.onnx"}).detector_model == Path("yunet.onnx")


def test_what_decides_the_numbers_is_told_apart_from_the_machine() -> None:
    assert Settings(jobs=4, charts=False, stall_limit_s=5).result_settings() == Settings().result_settings()
    for setting in ({"fps": 2}, {"detect_every_frames": 2}, {"detect_every_s": 0.5}, {"quality_min_sharpness": 0.1}):
        assert Settings().merged(setting).result_settings() != Settings().result_settings()
