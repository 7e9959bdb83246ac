"""Read a market's data from Snowflake, BigQuery, DuckDB, CSV or Parquet into a snapshot."""

from __future__ import annotations

from job.sources.extract import extract, open_warehouse, planned_sql
from job.sources.plan import aggregations
from job.sources.snapshot import Evidence, Notice, Snapshot

__all__ = [
    "Evidence",
    "Notice",
    "Snapshot",
    "aggregations",
    "extract",
    "open_warehouse",
    "planned_sql",
]
