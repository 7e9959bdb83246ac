"""The result tables in BigQuery: external tables over the bucket, and views of promoted runs.

The external tables (`all_…`) read the bucket's own objects, so they need no load and are always up
to date. The view `runs` has a row for each run. The view of a result table has the rows of the
promoted runs, those that are their markets' current ones, with the columns of RUN_COLUMNS.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pydantic import BaseModel

from contract.exceptions import ConfigError
from contract.printable import short
from job.outputs.tables import DESCRIPTIONS, SCHEMAS

DATASET = re.compile(r"[a-z][a-z0-9.:\-]{4,60}\.[A-Za-z0-9_]{1,1024}")
BUCKET = re.compile(r"gs://[a-z0-9][a-z0-9._\-]{1,220}[a-z0-9]")
RUN_COLUMNS: Final = {
    "verdict": "PASS, REVIEW or FAIL; empty for runs of versions without a verdict.",
    "currency": "Currency of the target and the spends; empty if the config has none.",
    "frequency": "Length of a period: day, week or month.",
    "promoted_at": "When the run became its market's current one.",
}
# The objects of the bucket that say what a run is: place and columns. Other fields are ignored.
_OBJECTS: Final = {
    "all_statuses": (
        "runs/*/status.json",
        "run_id STRING, market STRING, revision STRING, state STRING, created_at TIMESTAMP, "
        "updated_at TIMESTAMP, outcome STRUCT<verdict STRUCT<verdict STRING>>",
    ),
    "all_requests": (
        "runs/*/request.json",
        "run_id STRING, config STRUCT<date STRUCT<frequency STRING>, "
        "target STRUCT<currency STRING>>",
    ),
    "all_current": ("robyn/*/current.json", "run_id STRING, promoted_at TIMESTAMP"),
}
MOST_BAD = 1000  # damaged objects that a query leaves out


class Statement(BaseModel, frozen=True):
    """A table or view that is made, with its SQL."""

    name: str
    kind: str
    sql: str


def statements(bucket: str, dataset: str, *, load: bool = False) -> list[Statement]:
    """Return what makes the tables and views of a bucket, in an order that works.

    Args:
        bucket: `gs://BUCKET`.
        dataset: PROJECT.DATASET, in the bucket's location.
        load: Also make native tables `loaded_…`, copies of the views at this moment.

    Raises:
        ConfigError: the bucket is not in Cloud Storage, or the dataset has another form.
    """
    if not BUCKET.fullmatch(bucket):
        raise ConfigError(
            f"`--bucket` is `{short(bucket)}`; allowed: gs://BUCKET, because BigQuery reads it"
        )
    if not DATASET.fullmatch(dataset):
        raise ConfigError(f"`--dataset` is `{short(dataset)}`; allowed: PROJECT.DATASET")
    return list(_statements(bucket, dataset, load))


def _statements(bucket: str, dataset: str, load: bool) -> Iterator[Statement]:
    for name, (place, columns) in _OBJECTS.items():
        yield Statement(
            name=name,
            kind="external table",
            sql=f"CREATE OR REPLACE EXTERNAL TABLE `{dataset}.{name}` ({columns})\n"
            f"OPTIONS (format = 'NEWLINE_DELIMITED_JSON', uris = ['{bucket}/{place}'],\n"
            f"  ignore_unknown_values = TRUE, max_bad_records = {MOST_BAD})",
        )
    yield Statement(name="runs", kind="view", sql=_runs(dataset))
    for table in SCHEMAS:
        yield Statement(
            name=f"all_{table}",
            kind="external table",
            sql=f"CREATE OR REPLACE EXTERNAL TABLE `{dataset}.all_{table}`\n"
            f"OPTIONS (format = 'PARQUET', uris = ['{bucket}/robyn/*/tables/{table}.parquet'],\n"
            "  enable_list_inference = TRUE)",
        )
        yield Statement(name=table, kind="view", sql=_promoted(dataset, table))
        if load:
            yield Statement(
                name=f"loaded_{table}",
                kind="table",
                sql=f"CREATE OR REPLACE TABLE `{dataset}.loaded_{table}` AS\n"  # nosec B608: checked
                f"SELECT * FROM `{dataset}.{table}`",
            )


def _runs(dataset: str) -> str:
    return (
        f"CREATE OR REPLACE VIEW `{dataset}.runs` AS\n"  # nosec B608: the dataset is checked
        "SELECT s.run_id, s.market, s.revision, s.state, s.created_at, s.updated_at,\n"
        "  s.outcome.verdict.verdict AS verdict, r.config.target.currency AS currency,\n"
        "  r.config.date.frequency AS frequency, c.promoted_at,\n"
        "  c.run_id IS NOT NULL AS is_promoted\n"
        f"FROM `{dataset}.all_statuses` AS s\n"
        f"LEFT JOIN `{dataset}.all_requests` AS r ON r.run_id = s.run_id\n"
        f"LEFT JOIN `{dataset}.all_current` AS c ON c.run_id = s.run_id\n"
        "WHERE s.run_id IS NOT NULL"
    )


def _promoted(dataset: str, table: str) -> str:
    columns = [*(f"t.{name}" for name in SCHEMAS[table].names), *(f"r.{c}" for c in RUN_COLUMNS)]
    return (
        f"CREATE OR REPLACE VIEW `{dataset}.{table}` AS\n"  # nosec B608: both names are checked
        f"-- {DESCRIPTIONS[table]} Promoted runs only.\n"
        f"SELECT {', '.join(columns)}\n"
        f"FROM `{dataset}.all_{table}` AS t\n"
        f"JOIN `{dataset}.runs` AS r ON r.run_id = t.run_id\n"
        "WHERE r.is_promoted"
    )
