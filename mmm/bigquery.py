"""The result tables in BigQuery: external tables over the bucket, and views of promoted runs.

The external tables (`all_…`) read the bucket's own objects, so they need no load and are always up
to date. The view `runs` has a row for each run. The view of a result table has the rows of the
promoted runs, those that are their markets' current ones, with the columns of RUN_COLUMNS.

`EXTERNAL` and `VIEWS` define them, for `mmm export bigquery` and, by `infra/bigquery.json`, for
Terraform.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import pyarrow as pa
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
PLACE = "{dataset}"  # in the SQL of a view, stands for PROJECT.DATASET
MOST_BAD = 1000  # damaged objects that a query leaves out


class Field(BaseModel, frozen=True):
    """A column, as BigQuery's API describes it."""

    name: str
    type: str
    mode: str = "NULLABLE"
    fields: tuple[Field, ...] = ()

    @property
    def sql(self) -> str:
        """Return the column's name, quoted because it may be a keyword, and its type in SQL."""
        return f"`{self.name}` {self._sql_type}"

    @property
    def _sql_type(self) -> str:
        if self.type == "RECORD":
            kind = f"STRUCT<{', '.join(field.sql for field in self.fields)}>"
        else:
            kind = _SQL_TYPES.get(self.type, self.type)
        return f"ARRAY<{kind}>" if self.mode == "REPEATED" else kind


class External(BaseModel, frozen=True):
    """An external table: the objects of the bucket that it reads, and its columns.

    `path` is below the bucket; its one asterisk stands for any folders.
    """

    path: str
    format: str
    fields: tuple[Field, ...]


class View(BaseModel, frozen=True):
    """A view: what it shows, and its query with PLACE for the dataset."""

    description: str
    sql: str


class Statement(BaseModel, frozen=True):
    """A table or view that is made, with its SQL."""

    name: str
    kind: str
    sql: str


_SQL_TYPES: Final = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}
_TYPES: Final = {
    pa.string(): "STRING",
    pa.bool_(): "BOOLEAN",
    pa.int64(): "INTEGER",
    pa.float64(): "FLOAT",
    pa.date32(): "DATE",
}


def _field(field: pa.Field) -> Field:
    if pa.types.is_list(field.type):
        inner = tuple(_field(one) for one in field.type.value_type)
        return Field(name=field.name, type="RECORD", mode="REPEATED", fields=inner)
    return Field(name=field.name, type=_TYPES[field.type])


def _record(name: str, *fields: Field) -> Field:
    return Field(name=name, type="RECORD", fields=fields)


def _texts(*names: str) -> list[Field]:
    return [Field(name=name, type="STRING") for name in names]


def _times(*names: str) -> list[Field]:
    return [Field(name=name, type="TIMESTAMP") for name in names]


def _json_objects(path: str, fields: Sequence[Field]) -> External:
    return External(path=path, format="NEWLINE_DELIMITED_JSON", fields=tuple(fields))


# The objects that say what a run is have more fields than these, which are ignored.
EXTERNAL: Final[dict[str, External]] = {
    "all_statuses": _json_objects(
        "runs/*/status.json",
        [
            *_texts("run_id", "market", "revision", "state"),
            *_times("created_at", "updated_at"),
            _record("outcome", _record("verdict", *_texts("verdict"))),
        ],
    ),
    "all_requests": _json_objects(
        "runs/*/request.json",
        [
            *_texts("run_id"),
            _record(
                "config",
                _record("date", *_texts("frequency")),
                _record("target", *_texts("currency")),
            ),
        ],
    ),
    "all_current": _json_objects(
        "robyn/*/current.json", [*_texts("run_id"), *_times("promoted_at")]
    ),
    **{
        f"all_{table}": External(
            path=f"robyn/*/tables/{table}.parquet",
            format="PARQUET",
            fields=tuple(_field(field) for field in schema),
        )
        for table, schema in SCHEMAS.items()
    },
}


def _promoted(table: str) -> View:
    columns = [*(f"t.`{name}`" for name in SCHEMAS[table].names), *(f"r.{c}" for c in RUN_COLUMNS)]
    return View(
        description=f"{DESCRIPTIONS[table]} Promoted runs only.",
        sql=f"SELECT {', '.join(columns)}\n"  # nosec B608: the names are constants
        f"FROM `{PLACE}.all_{table}` AS t\n"
        f"JOIN `{PLACE}.runs` AS r ON r.run_id = t.run_id\n"
        "WHERE r.is_promoted",
    )


# `runs` comes first, because the other views read it.
VIEWS: Final[dict[str, View]] = {
    "runs": View(
        description="One row per run: its state, verdict, currency and frequency, and whether it "
        "is its market's current one.",
        sql="SELECT s.run_id, s.market, s.revision, s.state, s.created_at, s.updated_at,\n"  # nosec B608
        "  s.outcome.verdict.verdict AS verdict, r.config.target.currency AS currency,\n"
        "  r.config.date.frequency AS frequency, c.promoted_at,\n"
        "  c.run_id IS NOT NULL AS is_promoted\n"
        f"FROM `{PLACE}.all_statuses` AS s\n"
        f"LEFT JOIN `{PLACE}.all_requests` AS r ON r.run_id = s.run_id\n"
        f"LEFT JOIN `{PLACE}.all_current` AS c ON c.run_id = s.run_id\n"
        "WHERE s.run_id IS NOT NULL",
    ),
    **{table: _promoted(table) for table in SCHEMAS},
}


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
    for name, table in EXTERNAL.items():
        options = (
            "enable_list_inference = TRUE"
            if table.format == "PARQUET"
            else f"ignore_unknown_values = TRUE, max_bad_records = {MOST_BAD}"
        )
        yield Statement(
            name=name,
            kind="external table",
            sql=f"CREATE OR REPLACE EXTERNAL TABLE `{dataset}.{name}` "
            f"({', '.join(field.sql for field in table.fields)})\n"
            f"OPTIONS (format = '{table.format}', uris = ['{bucket}/{table.path}'],\n"
            f"  {options})",
        )
    for name, view in VIEWS.items():
        yield Statement(
            name=name,
            kind="view",
            sql=f"CREATE OR REPLACE VIEW `{dataset}.{name}` AS\n"
            f"-- {view.description}\n{view.sql.replace(PLACE, dataset)}",
        )
    for table_name in SCHEMAS if load else ():
        yield Statement(
            name=f"loaded_{table_name}",
            kind="table",
            sql=f"CREATE OR REPLACE TABLE `{dataset}.loaded_{table_name}` AS\n"  # nosec B608: checked
            f"SELECT * FROM `{dataset}.{table_name}`",
        )


def definitions() -> str:
    """Return `infra/bigquery.json`: the external tables and views, for Terraform."""

    def described(fields: Sequence[Field]) -> list[dict[str, Any]]:
        return [
            {"name": f.name, "type": f.type, "mode": f.mode}
            | ({"fields": described(f.fields)} if f.fields else {})
            for f in fields
        ]

    document = {
        "external": {
            name: {"path": t.path, "format": t.format, "schema": described(t.fields)}
            for name, t in EXTERNAL.items()
        },
        "max_bad_records": MOST_BAD,
        "views": {name: view.model_dump() for name, view in VIEWS.items()},
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"
