"""Targets: what people write by hand. Manifests, segments in every format, configurations, option values, recipes."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import tomli_w
from fuzz.choices import Choices
from fuzz.target import Target

from videmo.cli import values
from videmo.cli.analyze import _from_file
from videmo.findings.manifest import carry, match_videos, read_manifest
from videmo.findings.segments import place_segments, read_segments
from videmo.findings.study import check_names, study_table
from videmo.settings import Settings

VIDEOS = pd.DataFrame({"video_id": ["p1", "a-p2", "b-p2"], "path": ["/d/p1.mp4", "/d/a/p2.mp4", "/d/b/p2.mp4"]})
STUDY = pd.DataFrame({"stimulus": ["ad"], "offset_s": [1.5]}, index=pd.Index(["p1"], name="video_id"))
MANIFEST = "file,respondent,stimulus,group,offset_s,consent_id,purpose,age\np1.mp4,José,ad,A,1.5,c1,study,33\n"
TSV_MANIFEST = 'sep=\t\r\nFile\tRespondent\t\r\na/p2.mp4\tp2\t\r\n\r\nb-p2\t"p\n3"\t\r\n'
SEGMENTS = "start,end,name,file,stimulus\n1.5,3,ad,p1.mp4,\n00:01:05.250,1:01:06,logo,,ad\n"
ROWS = "scene\t\t00:00:00.500\t0.5\t00:00:02.000\t2.0\t00:00:01.500\t1.5\tad\n"
TIERS = '"#file:///x.eaf"\nBegin Time - ss.msec\tEnd Time - ss.msec\tDuration - ss.msec\tscene\n0.5\t2.0\t1.5\tad\n'
EAF = """<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT FORMAT="3.0" VERSION="3.0"><HEADER MEDIA_FILE="" TIME_UNITS="milliseconds"/>
<TIME_ORDER><TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="500"/><TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="2000"/>
</TIME_ORDER><TIER TIER_ID="scene"><ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1"
TIME_SLOT_REF2="ts2"><ANNOTATION_VALUE>intro &amp; logo</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER>
<TIER TIER_ID="note" PARENT_REF="scene"><ANNOTATION><REF_ANNOTATION ANNOTATION_ID="a3" ANNOTATION_REF="a1">
<ANNOTATION_VALUE>funny</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION></TIER></ANNOTATION_DOCUMENT>
"""
VTT = "WEBVTT\n\n1\n00:01.000 --> 00:02.500 align:start\n<v Anna>Hello &lt;b&gt;\n\n01:00:00.000 --> 01:00:01.000\nx\n"
SRT = "1\r\n00:00:01,000 --> 00:00:02,500\r\n{\\an8}Hello\r\n\r\n2\r\n01:00:00,000 --> 01:00:01,000\r\nlate\r\n"
OPTIONS = ("parse_seconds", "parse_detect_every", "parse_bridge", "parse_smoother", "parse_baseline", "parse_names")
OPTION_SEEDS = (b"\0500ms", b"\x010.5s", b"\x013", b"\x020", b"\x03savgol:1s", b"\x03none", b"\x04-5-0s", b"\x05a, b,")
_CELLS = (",", ";", "\t", '"', '""', "\r\n", "sep=;", "\x00", "nan", "inf", "-1", "1e400", "1,5")


def read_study(path: Path) -> None:
    """Read a manifest and match it with videos, as `videmo analyze --manifest` does."""
    study = match_videos(read_manifest(path), VIDEOS, path)
    check_names(study, ("neutral", "happiness"), path)
    study_table(study)
    carry(VIDEOS, study)


def read_placed(path: Path) -> None:
    """Read segments and put them on the time of videos, as `videmo analyze --segments` does."""
    segments = read_segments(path)
    place_segments(segments, VIDEOS, STUDY)
    place_segments(segments.assign(stimulus=None), VIDEOS, None)


def read_option(path: Path) -> None:
    choices = Choices(path.read_bytes())
    option, text = choices.pick(OPTIONS), choices.text()
    getattr(values, option)(*(text, "--window") if option == "parse_seconds" else (text,))


def read_recipe(path: Path) -> None:
    from videmo.training.emotion import recipe_file

    recipe = recipe_file.read_recipe(path)
    [recipe.side_px_at(progress) for progress in (0.0, 0.5, 1.0)]
    recipe.learning_rate_at(0.5)
    recipe_file.write_recipe(recipe, path)


def _recipes() -> list[bytes]:
    from dataclasses import asdict

    from videmo.training.emotion.recipe import Recipe

    plain = {name: value for name, value in asdict(Recipe(teachers=("a", "./b"))).items() if value is not None}
    return [tomli_w.dumps(plain).encode(), b"minutes = 0.5\nsides_px = [[0, 24], [0.5, 48]]\naugmentation.flip = 0\n"]


def _settings() -> list[bytes]:
    every = {name: value for name, value in Settings(fps=5.0).describe().items() if value is not None}
    return [tomli_w.dumps(every).encode(), b'no-video = true\ndetect-every = "0.5s"\ndetector-model = "a.onnx"\n']


def _segments(suffix: str, *texts: str, words: tuple[str, ...] = _CELLS) -> Target:
    seeds = [text.encode(encoding) for text in texts for encoding in ("utf-8", "utf-16")]
    return Target(f"segments-{suffix}", f"s.{suffix}", read_placed, lambda: seeds, words=words)


_TOML = ("=", "[", "]", "{", "}", '"', '"""', "true", "1e999", "nan", "-1", "0x", "1979-05-27T07:32:00Z", "\n")
_XML = ("<!DOCTYPE", "<!ENTITY", "&#0;", "<TIER>", "</TIER>", "TIME_SLOT_REF1=", "ANNOTATION_REF=", "nan", "1e999")
_MANIFESTS = [text.encode(encoding) for text in (MANIFEST, TSV_MANIFEST) for encoding in ("utf-8", "utf-16", "cp1252")]
TARGETS = (
    Target("manifest", "study.csv", read_study, lambda: _MANIFESTS, words=(*_CELLS, "file", "respondent", "offset_s")),
    _segments("csv", SEGMENTS, ROWS, TIERS, words=(*_CELLS, "start", "end", "Tier", "Begin Time - msec", "99:99:99.9")),
    _segments("eaf", EAF, words=_XML),
    _segments("vtt", VTT, SRT, words=("-->", "\n\n", "00:00:01.000", "&#x110000;", "&lt;", "<v ", "{\\")),
    Target(
        "settings",
        "videmo.toml",
        lambda path: Settings().merged(_from_file(path)),
        _settings,
        words=(*_TOML, *Settings.__dataclass_fields__, "detect-every", "no-video", "resume"),
    ),
    Target("options", "option", read_option, lambda: OPTION_SEEDS, words=("ms", "min", "s", ":", "-", "."), says="--"),
    Target("recipe", "recipe.toml", read_recipe, _recipes, words=(*_TOML, "sides_px", "augmentation", "teachers")),
)
