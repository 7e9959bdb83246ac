"""`mmm export bigquery`: promoted runs only, with verdict, currency and frequency, always up to date."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from google.cloud import bigquery
from typer.testing import CliRunner

from contract import layout
from contract.base import canonical_json
from contract.loading import load_config
from contract.request import Origin, Request
from contract.run import State, Status
from contract.stores.folder import FolderStore
from job.outputs.tables import SCHEMAS
from job.sources.bigquery import open_client
from mmm.bigquery import RUN_COLUMNS
from mmm.commands import app
from tests.fakes.bigquery import FakeBigQuery, running
from tests.runs import WEEKLY
from tests.unit.commands.test_export import table

OLD, NEW = "20261122T020000Z-aaaaaaaa", "20261123T020000Z-bbbbbbbb"
AT = datetime(2026, 11, 23, 2, tzinfo=UTC)


def put(store: FolderStore, run_id: str, roas: float, *, verdict: str) -> None:
    """Write what a finished run leaves, as far as BigQuery reads it."""
    resolved = load_config(WEEKLY, overrides={"target": {"currency": "EUR"}})
    request = Request.of(resolved, run_id=run_id, origin=Origin(via="command"), force=False)
    store.write(layout.request(run_id), request.to_json())
    status = Status(
        run_id=run_id, state=State.SUCCEEDED, market="DE", revision="r1", created_at=AT,
        updated_at=AT, outcome={"verdict": {"verdict": verdict, "findings": []}, "more": {"a": 1}},
    )  # fmt: skip
    store.write(layout.status(run_id), status.to_json())
    folder = layout.artifacts("r1", "DE", run_id)
    row = {"run_id": run_id, "market": "DE", "revision": "r1", "channel": "tv", "roas": roas}
    for name in SCHEMAS:
        rows = [row] if name == "posterior" else []
        store.write(f"{folder}tables/{name}.parquet", table(name, *rows))


def promote(store: FolderStore, run_id: str) -> None:
    pointer = {"run_id": run_id, "promoted_at": AT.isoformat(), "engine": "builtin"}
    store.write(layout.current("r1", "DE"), canonical_json(pointer))


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBigQuery]:
    store = FolderStore(tmp_path / "bucket")
    put(store, OLD, 1.0, verdict="PASS")
    put(store, NEW, 2.0, verdict="REVIEW")
    promote(store, OLD)
    with running() as made:
        made.database.execute('ATTACH \':memory:\' AS "demo-proj"; CREATE SCHEMA "demo-proj".mmm')
        made.buckets["acme-mmm"] = store.root
        for name, value in made.env.items():
            monkeypatch.setenv(name, value)
        yield made


def export(*options: str, bucket: str = "gs://acme-mmm") -> Result:
    place = ["--dataset", "demo-proj.mmm", "--bucket", bucket]
    return CliRunner().invoke(app, ["export", "bigquery", *place, *options])


def query(service: FakeBigQuery, sql: str) -> list[tuple[Any, ...]]:
    client: bigquery.Client
    client, _ = open_client(service.env)
    return [tuple(row.values()) for row in client.query(sql).result()]


def test_views_show_promoted_runs_only(service: FakeBigQuery) -> None:
    done = export()
    assert done.exit_code == 0, done.output
    assert "external table demo-proj.mmm.all_posterior" in done.stdout
    columns = "run_id, market, revision, roas, verdict, currency, frequency"
    sql = f"SELECT {columns} FROM `demo-proj.mmm.posterior`"
    assert query(service, sql) == [(OLD, "DE", "r1", 1.0, "PASS", "EUR", "week")]
    promote(FolderStore(service.buckets["acme-mmm"]), NEW)
    assert query(service, sql) == [(NEW, "DE", "r1", 2.0, "REVIEW", "EUR", "week")]
    assert len(query(service, "SELECT * FROM `demo-proj.mmm.all_posterior`")) == 2
    sql = "SELECT run_id, state, is_promoted FROM `demo-proj.mmm.runs` ORDER BY run_id"
    assert query(service, sql) == [(OLD, "SUCCEEDED", False), (NEW, "SUCCEEDED", True)]


def test_a_damaged_status_hides_its_run_alone(service: FakeBigQuery) -> None:
    store = FolderStore(service.buckets["acme-mmm"])
    store.write(layout.status(NEW), b'{"torn')
    assert export().exit_code == 0
    assert query(service, "SELECT run_id FROM `demo-proj.mmm.runs`") == [(OLD,)]


def test_tables_are_loaded_where_asked(service: FakeBigQuery) -> None:
    assert "table demo-proj.mmm.loaded_posterior" in export("--load").stdout
    promote(FolderStore(service.buckets["acme-mmm"]), NEW)
    loaded = query(service, "SELECT roas, verdict FROM `demo-proj.mmm.loaded_posterior`")
    assert loaded == [(1.0, "PASS")]


def test_a_dry_run_prints_the_sql(service: FakeBigQuery) -> None:
    text = export("--dry-run").stdout
    assert "uris = ['gs://acme-mmm/robyn/*/tables/models.parquet']" in text
    assert text.count("CREATE OR REPLACE VIEW") == len(SCHEMAS) + 1
    assert service.inserted == []
    lines = [json.loads(line) for line in export("--dry-run", "--json").stdout.splitlines()]
    assert lines[0]["name"] == "all_statuses"


def test_each_view_has_all_columns(service: FakeBigQuery) -> None:
    assert export().exit_code == 0
    for one, schema in SCHEMAS.items():
        made = service.database.execute(f'DESCRIBE "demo-proj".mmm.{one}').fetchall()
        assert [column[0] for column in made] == [*schema.names, *RUN_COLUMNS]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["bigquery", "--dataset", "p.d"], "`--bucket` is `.mmm/bucket`; allowed: gs://BUCKET"),
        (["bigquery"], "needs `--dataset PROJECT.DATASET`"),
        (["bigquery", "DE", "--dataset", "my-proj.d"], "takes no RUN"),
        (
            ["bigquery", "--dataset", "x`; DROP", "--bucket", "gs://acme"],
            "allowed: PROJECT.DATASET",
        ),
        (["csv"], "needs a RUN"),
    ],
)
def test_what_is_wrong_is_named(arguments: list[str], problem: str) -> None:
    done = CliRunner().invoke(app, ["export", *arguments])
    assert (done.exit_code, done.stdout) == (64, "")
    assert problem in done.stderr


def test_a_refusal_is_explained(service: FakeBigQuery) -> None:
    service.fail("jobs", 403, "accessDenied", "Access Denied: Dataset demo-proj:mmm")
    done = export()
    assert done.exit_code == 69
    assert "external table `demo-proj.mmm.all_statuses` is not allowed" in done.stderr
