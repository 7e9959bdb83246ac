"""Data in: one interface over Snowflake, DuckDB, BigQuery, CSV and Parquet."""

from __future__ import annotations

from job.sources.extract import extract, open_warehouse, planned_sql
from job.sources.plan import aggregations
from job.sources.snapshot import Evidence, Notice, Snapshot, same_data

__all__ = [
    "Evidence",
    "Notice",
    "Snapshot",
    "aggregations",
    "extract",
    "open_warehouse",
    "planned_sql",
    "same_data",
]
