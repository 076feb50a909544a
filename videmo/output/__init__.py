"""Results become files while the run goes on: Parquet tables and the annotated video."""
