"""The real client and a fake of BigQuery's REST API, without the Storage API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.api_core import exceptions as google_errors
from google.auth.credentials import AnonymousCredentials
from google.cloud.bigquery_storage import BigQueryReadClient

from contract.exceptions import DataError, ServiceError, TransientError
from contract.source import BigQuerySource
from job.sources import Snapshot, bigquery, extract, planned_sql
from tests.fakes.bigquery import FakeBigQuery, running
from tests.unit.sources.conftest import make_config
from tests.unit.sources.test_month_names import FORMS, in_every_language
from tests.unit.sources.test_month_names import query as date_query
from tests.unit.sources.test_number_texts import EXPECTED
from tests.unit.sources.test_number_texts import query as number_query

SOURCE = {"type": "bigquery", "table": "mmm.daily"}
TABLE = BigQuerySource(type="bigquery", table="mmm.daily")


@pytest.fixture
def service() -> Iterator[FakeBigQuery]:
    with running() as made:
        made.database.execute("CREATE SCHEMA mmm")
        made.database.execute(
            "CREATE TABLE mmm.daily AS SELECT DATE '2024-01-01' + i::INTEGER AS day, "
            "(100 + i + 0.25)::DECIMAL(18, 2) AS sales, i + 0.5 AS tv, i AS grp, "
            "CASE WHEN i = 3 THEN NULL ELSE i * 0.1::DOUBLE END AS mail, i || '.5' AS price, "
            "i % 2 = 0 AS event FROM range(40) t(i)"
        )
        yield made


def run(service: FakeBigQuery, to: Path, **fields: Any) -> Snapshot:
    config = make_config(fields.pop("source", SOURCE), **fields)
    return extract(config, run_id="20240101T000000Z-1a", to=to / "s.parquet", env=service.env)


def test_a_table_is_read_with_explicit_types(service: FakeBigQuery, tmp_path: Path) -> None:
    snapshot = run(service, tmp_path)
    read = pq.read_table(snapshot.path)
    assert [str(f.type) for f in read.schema] == ["date32[day]", *["double"] * 5, "string"]
    assert snapshot.rows == 40  # in pages
    assert read["sales"].to_pylist()[:2] == [100.25, 101.25]
    assert read["mail"].to_pylist()[3] is None
    assert read["price"].to_pylist()[-1] == 39.5


def test_jobs_carry_the_run_and_a_limit(service: FakeBigQuery, tmp_path: Path) -> None:
    run(service, tmp_path)
    dry, real = service.inserted
    assert dry["dryRun"] is True
    assert real["labels"] == {"run_id": "20240101t000000z-1a"}
    assert int(real["jobTimeoutMs"]) == bigquery.QUERY_SECONDS * 1000


def test_a_query_by_week(service: FakeBigQuery, tmp_path: Path) -> None:
    source = {"type": "bigquery", "query": "SELECT * FROM mmm.daily WHERE day < '2024-01-29'"}
    snapshot = run(service, tmp_path, source=source, date={"column": "day", "frequency": "week"})
    assert pq.read_table(snapshot.path)["grp"].to_pylist() == [21.0, 70.0, 119.0, 168.0]


def test_plan_runs_nothing(service: FakeBigQuery) -> None:
    assert planned_sql(make_config(SOURCE), env=service.env).startswith("WITH given AS")
    assert [job["dryRun"] for job in service.inserted] == [True]


def test_missing_table_and_column(service: FakeBigQuery, tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match=r"table `mmm.nope` in BigQuery does not exist") as e:
        run(service, tmp_path, source={"type": "bigquery", "table": "mmm.nope"})
    assert e.value.exit_code == 69
    with pytest.raises(DataError, match=r"no column `pricee`. Did you mean `price`"):
        run(service, tmp_path, context=["pricee"])
    wrong = {"type": "bigquery", "query": "SELECT prise FROM mmm.daily"}
    with pytest.raises(DataError, match=r"the query on BigQuery: .*prise") as caught:
        run(service, tmp_path, source=wrong)
    assert caught.value.exit_code == 65


@pytest.mark.parametrize(
    ("status", "reason", "message", "kind", "expected"),
    [
        (403, "accessDenied", "Access Denied: Table x", ServiceError, "roles/bigquery.dataViewer"),
        (401, "authError", "Invalid Credentials", ServiceError, "no credentials"),
        (403, "quotaExceeded", "Quota exceeded: too many", TransientError, "quota is used up"),
        (400, "invalidQuery", "Unrecognized name: x", DataError, "Unrecognized name"),
    ],
)
def test_refusals(
    service: FakeBigQuery, tmp_path: Path, status: int, reason: str, message: str, kind: type,
    expected: str, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(bigquery, "RETRY", bigquery.RETRY.with_timeout(1))
    service.fail("POST", status, reason, message)
    with pytest.raises(kind, match=expected):
        run(service, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_busy_service_is_retried(service: FakeBigQuery, tmp_path: Path) -> None:
    service.fail("POST", 503, "backendError", "try again", times=1)
    service.fail("queries", 503, "backendError", "try again", times=1)
    assert run(service, tmp_path).rows == 40


@pytest.mark.parametrize("where", ["POST", "queries"])
def test_a_permanent_503_ends_the_run(
    service: FakeBigQuery, tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bigquery, "RETRY", bigquery.RETRY.with_timeout(1))
    service.fail(where, 503, "backendError", "try again")
    with pytest.raises(TransientError, match="did not answer") as caught:
        run(service, tmp_path)
    assert caught.value.exit_code == 75
    assert not list(tmp_path.iterdir())


class Client:
    """A BigQuery client whose queries give two batches, with the Storage API; one may fail."""

    SCOPE = ("scope",)

    def __init__(self, *, fails: bool = False) -> None:
        self.fails, self.closed = fails, False
        self.readers: list[BigQueryReadClient] = []

    def __call__(self, *, credentials: Any, **_: Any) -> Client:
        return self

    def query(self, *_: Any, **__: Any) -> Client:
        return self

    result = query

    def to_arrow_iterable(
        self, *, bqstorage_client: BigQueryReadClient
    ) -> Iterator[pa.RecordBatch]:
        self.readers.append(bqstorage_client)
        yield pa.record_batch({"a": [1]})
        if self.fails:
            raise google_errors.ServiceUnavailable("gone")
        yield pa.record_batch({"a": [2]})

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("batches", "fails"), [(1, False), (9, False), (9, True)], ids=["left", "read", "failed"]
)
def test_all_clients_are_closed_with_the_warehouse(
    batches: int, fails: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(fails=fails)
    monkeypatch.setattr(bigquery.bigquery, "Client", client)
    monkeypatch.setattr("google.auth.default", lambda **_: (AnonymousCredentials(), "p"))
    source = BigQuerySource(type="bigquery", table="mmm.daily")
    with (
        closing(bigquery.connect(source, run_id="1", env={})) as warehouse,
        suppress(TransientError),
    ):
        list(islice(warehouse.stream("SELECT 1"), batches))
    [reader] = client.readers
    with pytest.raises(ValueError, match="closed channel"):
        reader.create_read_session(parent="projects/p", retry=None, timeout=0.1)
    assert client.closed


@pytest.mark.parametrize("date_format", FORMS)
def test_names_of_months(date_format: str, service: FakeBigQuery) -> None:
    texts, days = (every[::5] for every in in_every_language(date_format))
    texts += ["Total", "31 Feb 2021", "3 Foo 2021"]
    service.database.register("frame", pd.DataFrame({"n": range(len(texts)), "day": texts}))
    service.database.execute("CREATE TABLE t AS SELECT * FROM frame")
    sql = date_query(date_format, "bigquery") + " ORDER BY n"
    with closing(bigquery.connect(TABLE, run_id="r", env=service.env)) as warehouse:
        read = [day for batch in warehouse.stream(sql) for day in batch.column(0).to_pylist()]
    assert read == [*days, None, None, None]


def test_numbers_as_people_write_them(service: FakeBigQuery) -> None:
    with closing(bigquery.connect(TABLE, run_id="r", env=service.env)) as warehouse:
        (batch,) = warehouse.stream(number_query("bigquery"))
    assert list(batch.to_pylist()[0].values()) == EXPECTED
