"""The user's own labelled faces: `labels.csv` beside pictures of any size; what `videmo data crops` writes."""

from __future__ import annotations

from typing import Final

import pandas as pd

from videmo.errors import DataError
from videmo.training.emotion.readers.source import (
    CLASSES,
    SPLIT_NAMES,
    Source,
    load_pictures,
    read_table,
    require_columns,
    require_once,
    translate,
)
from videmo.training.files import Root

TABLE: Final = "labels.csv"


def read_labelled(root: Root, side_px: int) -> Source:
    """Reads `labels.csv`, columns file (from the folder on), label and, if wanted, split; others are left alone.

    Raises:
        DataError: The table is wrong; names the row as a spreadsheet counts (the header is row 1).
    """
    path = root / TABLE
    table = read_table(path)
    require_columns(path, table, ("file", "label"))
    if table.empty:
        raise DataError(f"{path}: no row below the header; add a row for each picture")
    require_once(path, table["file"])
    unlabelled = table["label"].str.strip() == ""
    if unlabelled.any():
        row = int(unlabelled.to_numpy().argmax())
        raise DataError(
            f"{path}: row {row + 2}: {table['file'][row]} has no label ({unlabelled.sum()} rows have none); write one "
            f"of {', '.join(CLASSES)}, or remove the row"
        )
    rows = pd.DataFrame({"name": table["file"], "split": "", "label": translate(path, table["label"], CLASSES)})
    if "split" in table and table["split"].str.strip().any():
        rows["split"] = translate(path, table["split"], SPLIT_NAMES)
    return load_pictures(root, "labelled faces", rows, side_px=side_px)
