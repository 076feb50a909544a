"""`videmo predict`: single pictures in, a table of faces and their expressions out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from videmo.errors import UsageError, VideoError
from videmo.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

_FORMATS = (".parquet", ".csv")


def predict(
    images: Annotated[list[str], typer.Argument(metavar="IMAGES...", help="Pictures, folders of them, globs.")],
    model: Annotated[str, typer.Option(metavar="PRESET", help="Expression model.")] = Settings().model,
    crops: Annotated[bool, typer.Option("--crops", help="Each picture is a cut-out face; detect nothing.")] = False,
    out: Annotated[Path | None, typer.Option(help="File to write too: .parquet or .csv.")] = None,
) -> None:
    """Find the faces in pictures and tell their expressions: one row for each face."""
    if out and out.suffix.lower() not in _FORMATS:
        raise UsageError(f"--out {out}: expected a name that ends in {' or '.join(_FORMATS)}")
    from videmo.analysis.pictures import predict as run

    settings = Settings(model=model)
    table = run(images, settings, crops=crops)
    typer.echo(_format(table))
    for error in table["error"].dropna():
        typer.echo(f"failed: {error}", err=True)
    if out:
        _write(table, out, settings)
        typer.echo(f"wrote {out}")
    if table["error"].notna().any():
        raise typer.Exit(VideoError.exit_code)


def _format(table: pd.DataFrame) -> str:
    """Return the table for reading: boxes as one column, pictures without a face said so."""
    columns = list(table.columns)
    labels = columns[columns.index("emotion") + 1 : columns.index("error")]
    boxes = table[["x1", "y1", "x2", "y2"]].map("{:.0f}".format).agg(" ".join, axis=1)
    absent = table["error"].notna().map({True: "cannot be read", False: "no face found"})
    found = table["face"].notna()
    shown = table[["file", "face"]].assign(box=boxes.where(found, absent), expression=table["emotion"])
    texts = shown.astype(object).where(shown.notna(), "").astype(str).join(table[labels])
    width = max(map(len, texts["file"]))
    texts["file"] = texts["file"].str.ljust(width)
    return texts.rename(columns={"file": "file".ljust(width)}).to_string(index=False, float_format="%.2f", na_rep="")


def _write(table: pd.DataFrame, out: Path, settings: Settings) -> None:
    """Write the table; the footer of a Parquet file names the model."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from videmo.findings.export.csv_files import spell_csv
    from videmo.output.files import replacing
    from videmo.output.schema import footer
    from videmo.presets import find_preset

    with replacing(out) as partial:
        if out.suffix.lower() == ".csv":
            partial.write_text(spell_csv(table), encoding="utf-8", newline="")
            return
        preset = find_preset(settings.model, "emotion")
        named = {"videmo.preset": preset.name, "videmo.preset_sha256": preset.sha256}
        rows = pa.Table.from_pandas(table, preserve_index=False)
        metadata = (rows.schema.metadata or {}) | footer("pictures", named, preset.labels)
        with partial.open("wb") as file:  # Arrow takes no path with bytes that are not UTF-8
            pq.write_table(rows.replace_schema_metadata(metadata), file, compression="zstd")
