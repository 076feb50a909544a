"""One HTML file about a run that opens anywhere: quality first, timelines beside the videos, tables behind it.

The order of the work: tables are made (`overview`, `quality`, `curves`, `provenance`, ...), written to
OUT/findings/<name>.parquet, and only then shown (`views`, `embed`, `page`): the page holds no number of its own.
"""
