"""The tables of one video, written row group by row group while the run goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from videmo.datatypes import FrameFaces, ScoredFaces, VideoInfo
from videmo.output.files import explained, open_partial, partial_path, publish, replacing
from videmo.output.rows import RowBuffer
from videmo.output.schema import faces_schema, footer, frames_schema
from videmo.settings import Settings


class TablesSink:
    """Writes `OUT/frames/<video_id>.parquet` and `OUT/faces/<video_id>.parquet`.

    The frames table gets its name last: where it exists, the video is complete. Close this sink after all others.

    Args:
        out: the folder of the run.
        video: the video whose results come.
        labels: names of the columns of `ScoredFaces.emotions`.
        metadata: what the footers say beside schema version and labels: version, preset, source, sampling.
        settings: the limits of quality that decide which rows are usable; None for the defaults.

    Raises:
        OutputError: the disk is full or the folder does not allow it.
    """

    needs_images = False

    def __init__(
        self,
        out: Path,
        video: VideoInfo,
        labels: Sequence[str],
        metadata: Mapping[str, str],
        settings: Settings | None = None,
    ) -> None:
        self._rows = RowBuffer(video.id, labels, settings or Settings())
        name = f"{video.id}.parquet"
        self._faces = _TableFile(out / "faces" / name, faces_schema(labels), footer("faces", metadata, labels))
        self._frames = _TableFile(out / "frames" / name, frames_schema(), footer("frames", metadata, labels))

    def write(self, item: FrameFaces[ScoredFaces]) -> None:
        """Add one frame; a frame that was not analysed has no row."""
        if not item.frame.analysed:
            return
        self._rows.append(item)
        if self._rows.full:
            self._flush()

    def annotate(self, values: Mapping[str, str]) -> None:
        """Add to both footers what is known only at the end; call it before `close`."""
        self._frames.annotate(values)
        self._faces.annotate(values)

    def close(self) -> list[Path]:
        """Finish both tables; returns their paths."""
        if len(self._rows):
            self._flush()
        self._faces.finish()
        self._frames.finish()
        # From here until the last line a kill leaves no frames table: the video counts as not done, never as mixed.
        with explained(self._frames.path):
            self._frames.path.unlink(missing_ok=True)
        publish(self._faces.path)
        publish(self._frames.path)
        return [self._frames.path, self._faces.path]

    def abort(self) -> None:
        """Remove what was begun, and faces whose frames could not follow."""
        self._frames.discard()
        self._faces.discard()
        if not self._frames.path.exists():
            with explained(self._faces.path):
                self._faces.path.unlink(missing_ok=True)

    def _flush(self) -> None:
        frames, faces = self._rows.take()
        self._frames.append(frames)
        self._faces.append(faces)


class _TableFile:
    """One Parquet file in the making, under its `.partial` name."""

    def __init__(self, path: Path, schema: pa.Schema, metadata: Mapping[str, str]) -> None:
        self.path = path
        self._partial = partial_path(path)
        # A file of our own can be closed also when Parquet cannot write its end, on a full disk say.
        self._file = open_partial(path)
        with explained(path):
            self._writer = pq.ParquetWriter(self._file, schema.with_metadata(dict(metadata)), compression="zstd")

    def append(self, table: pa.Table) -> None:
        with explained(self.path):
            self._writer.write_table(table)

    def annotate(self, values: Mapping[str, str]) -> None:
        self._writer.add_key_value_metadata(dict(values))

    def finish(self) -> None:
        with explained(self.path):
            self._writer.close()
            self._file.close()

    def discard(self) -> None:
        for end in (self._writer.close, self._file.close):
            with suppress(OSError):  # the file goes: that its end cannot be written matters no more
                end()
        with explained(self.path):
            self._partial.unlink(missing_ok=True)


def write_table(path: Path, table: pa.Table, metadata: Mapping[str, str]) -> None:
    """Write a whole small table at once; `path` has the old or the new content, never half of one.

    The footer says `metadata`, the schema version and the name of the table, which is that of the file.

    Raises:
        OutputError: the disk is full or the folder does not allow it.
    """
    with replacing(path) as partial, partial.open("wb") as file:
        pq.write_table(table.replace_schema_metadata(footer(path.stem, metadata)), file, compression="zstd")


def retell(path: Path, says: Mapping[str, str]) -> None:
    """Write a table once more with other words in its footer, row group by row group; `path` is replaced whole.

    Raises:
        OutputError: the disk is full or the folder does not allow it.
    """
    # Arrow takes no path with bytes that are not UTF-8.
    with replacing(path) as partial, path.open("rb") as old, pq.ParquetFile(old) as table, partial.open("wb") as file:
        schema = table.schema_arrow
        said = {key.decode(): value.decode() for key, value in (schema.metadata or {}).items()}
        with pq.ParquetWriter(file, schema.with_metadata(said | dict(says)), compression="zstd") as writer:
            for group in range(table.num_row_groups):
                writer.write_table(table.read_row_group(group))
