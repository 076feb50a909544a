"""Names of what may lie in the folder of a run beside the files of its videos."""

from __future__ import annotations

from typing import Final

STUDY: Final = "study.parquet"
SEGMENTS: Final = "segments.parquet"
IDENTITIES: Final = "identities.csv"
"""The decisions on who the tracks show."""
REPORT_PAGE: Final = "report.html"
REPORT_TABLES: Final = "findings"
"""The folder of the tables that the report was made from."""
