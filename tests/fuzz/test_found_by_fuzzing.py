"""What fuzzing found, a damaged file for each: these once ended in a traceback, or in a message that helped nobody."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from fuzz.fuzzed_labels import FER2013, LABELS, PIXELS, zipped
from fuzz.fuzzed_models import CONFIG
from fuzz.fuzzed_runs import add_to_footer, write_run
from fuzz.target import Target
from fuzz.targets import TARGETS

from videmo.analysis.folder import REPORT, RunFolder, report_to_json
from videmo.datatypes import VideoReport
from videmo.errors import VidemoError

Change = Callable[[bytes], bytes]
DEEP, LONG = b"[" * 100_000, b"9" * 5000
LABELS_IN_FOOTER, SETTINGS_IN_FOOTER, STUDY_IN_FOOTER = b"\x01\x00", b"\x01\x01", b"\x01\x03"
END_OF_ZIP = b"PK\x05\x06" + b"\x00" * 8 + b"\xff" * 8 + b"\x00\x00"


def put(old: bytes | str, new: bytes | str) -> Change:
    """Return what replaces a piece of a file."""
    before, after = (piece.encode() if isinstance(piece, str) else piece for piece in (old, new))

    def change(seed: bytes) -> bytes:
        assert before in seed
        return seed.replace(before, after)

    return change


def be(data: bytes | str) -> Change:
    """Return what makes the whole file anew."""
    return lambda _: data.encode() if isinstance(data, str) else data


def flip(at: int) -> Change:
    return lambda seed: seed[:at] + bytes([seed[at] ^ 0xFF]) + seed[at + 1 :]


def arrays(**named: np.ndarray) -> bytes:
    file = BytesIO()
    np.savez(file, allow_pickle=True, **named)
    return file.getvalue()


def nameless() -> bytes:
    """Return a zip file with a member without a name, which is a folder within itself."""
    data = bytearray(zipped({"q": b""}))
    listed = data.index(b"PK\x01\x02")
    data[listed + 28], data[listed + 30] = 0, 1  # the letter of the name is an extra field now
    return bytes(data)


BAD = [
    ("table-frames", flip(60), "cannot be read"),  # in a page, not in the footer
    ("table-frames", put("videmo.labels", "videmo.lobels"), "is no list of labels"),
    ("table-frames", put('["neutral"', '["neutrol"'), "names other labels than the faces table"),
    ("table-frames", put("videmo.table", b"videmo.\xff\xfeble"), "cannot be read .*utf-8"),
    ("table-faces", put("right_eye_x", "right_eye_q"), "no column 'right_eye_x'"),
    ("changed-tables", be(b"\x00\x00\x00"), "counts other faces than the faces table"),
    ("changed-tables", be(b"\x01\x01\x02\x02\x00"), "column 'time_s' is of type string"),
    ("changed-tables", be(b"\x01\x01\x03\x02\x01\x00\x05"), "cells without a value"),
    ("changed-tables", be(b"\x01\x01\x05\x01\x05"), "counts other faces|are there twice"),
    ("changed-footers", be(LABELS_IN_FOOTER + b"{"), "videmo.labels in its footer is damaged"),
    ("changed-footers", be(SETTINGS_IN_FOOTER + b"[]"), "videmo.settings in its footer is damaged"),
    ("changed-footers", be(SETTINGS_IN_FOOTER + b'{"fps": "x"}'), r"a\.parquet: setting fps = 'x'"),
    ("changed-footers", be(STUDY_IN_FOOTER + b"7"), "videmo.study in its footer is damaged"),
    ("run-record", be('{"schema": "1.3", "settings": "x"}'), "are not what a run records"),
    ("run-record", be(DEEP), "cannot be read"),
    ("manifest", be('"a\nb",respondent\na,b\n'), r"found a\\u000ab, respondent"),
    ("manifest", be(b"file," + b"x" * 5000), " … "),
    ("segments-eaf", put('TIME_VALUE="500"', 'TIME_VALUE="50x"'), "the start is no time"),
    ("segments-eaf", put('TIME_VALUE="2000"', 'TIME_VALUE="1e400"'), "the end is no time"),
    ("segments-csv", put("3,ad", "9" * 400 + ",ad"), "the end is no time"),
    ("settings", be(b"fps = " + LONG), "not a TOML file"),
    ("settings", be(b"a = " + DEEP), "not a TOML file"),
    ("settings", be("quality_maxx = 1"), r"videmo\.toml: unknown setting"),
    ("recipe", be(b"epochs = " + LONG), "not a TOML file"),
    ("preset", be(DEEP), "cannot be read"),
    ("preset", be(b'{"schema": ' + LONG + b"}"), "cannot be read"),
    ("preset", put('"temperature": 1.25', '"temperature": 1e999'), "temperature in config.json is not a number from"),
    ("preset", put('"temperature"', '"hotness"'), "temperature in config.json is not a number from"),
    ("preset", put('"height_px": 8', '"height_px": "8"'), "height_px in config.json is not a number from"),
    ("preset", put(str(CONFIG["labels"]).replace("'", '"'), '"ab"'), "must be text"),
    ("preset", put('"file": "model.keras"', '"file": 7'), "must be text"),
    ("openvino-graph", put('type="Result"', b'type="Re\xc9ult"'), "cannot be read"),
    ("openvino-graph", put('"Result"', '"Relu"'), "cannot be read"),
    ("fer2013", put(",Training", ",Training,more"), "more cells in a row than in the header"),
    ("fer2013", lambda seed: seed + END_OF_ZIP, "cannot be read"),
    ("fer2013", lambda seed: seed + b"PK\x06\x07" + b"\x01" * 16 + END_OF_ZIP, "cannot be read"),
    ("fer2013", be(f"emotion,pixels,Usage\n{PIXELS}{PIXELS},1,Training\n"), " … "),
    ("ferplus-labels", put("unused,6", "unused,6,7"), "more cells in a row than in the header|not a CSV table"),
    ("labelled", be("file,label,split\na.png,Happy,train,x,y\n"), "more cells in a row than in the header"),
    ("faces-zip", be(zipped({"labels.csv": LABELS}).replace(b"Happy", b"Hoppy")), "labels.csv: cannot be read .*CRC"),
    ("faces-zip", be(zipped({"fer2013.csv": FER2013}).replace(b"7 7", b"8 7", 1)), "fer2013.csv: cannot be read .*CRC"),
    ("faces-zip", be(zipped({"labels.csv": LABELS})[5:]), "cannot be read"),
    ("faces-zip", be(nameless()), "no data set that is known"),
    ("split-list", put("train,True,", "train,True,,"), "more cells in a row than in the header"),
    ("kept-faces", be(b""), "cannot be read"),
    ("kept-faces", be(arrays(images=np.zeros((2, 4, 4), np.uint8))), "remove the file"),
    ("checkpoint", be(b""), "cannot be read"),
    ("checkpoint", be(zipped({"average.0.npy": b"\x93NUMPY"})), "cannot be read|not a file of arrays"),
    ("checkpoint", be(arrays(average=np.zeros(2))), "not a checkpoint of a training"),
    ("checkpoint", be(arrays(state=np.array("[]"))), "not a checkpoint of a training"),
    ("checkpoint", be(arrays(state=np.array([{}]))), "cannot be read"),  # objects may hold code
    ("coco", put("22.5", "1e300"), "not COCO annotations"),
    ("coco", put("10, 11", "1e300, 11"), "not COCO annotations"),
    ("coco", be(b'{"images": ' + DEEP), "not COCO annotations"),
    ("coco-zip", put("iscrowd", "iscrowe"), "cannot be read .*CRC"),
    ("wider", put("p/a.png", b"p/\xce.png"), "not annotations of WIDER FACE"),
    ("wider", put("\n2\n", "\n²\n"), "expected the number of faces"),
    ("wider", put("10 20", "1e300 20"), "not annotations of WIDER FACE"),
    ("wider-landmarks", put("12 30", "1e300 30"), "not annotations of WIDER FACE"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "change", "says"), BAD)
def test_found_files_are_refused_in_words(name: str, change: Change, says: str) -> None:
    target: Target = TARGETS[name]
    damaged = change(target.seeds()[0])
    with pytest.raises(VidemoError, match=says):
        target.feed(damaged)
    target(damaged)  # the error is a clear one, too


def test_a_footer_without_a_readable_report_counts_as_unfinished(tmp_path: Path) -> None:
    write_run(tmp_path)
    frames, run = tmp_path / "frames" / "a.parquet", RunFolder(tmp_path)
    add_to_footer(frames, {REPORT: report_to_json(VideoReport("a", "a.mp4"))})
    assert run.finished("a", {}, ()) == VideoReport("a", "a.mp4")
    for report in (b"[1]", b"{", b"{}", b'{"video_id": "a", "path": 7, "warnings": []}', DEEP):
        add_to_footer(frames, {REPORT: report.decode()})
        assert run.finished("a", {}, ()) is None
