"""The real connector and a server over a real connection: logins, timeouts, faults, errors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from snowflake.connector import result_batch

from contract.exceptions import ConfigError, DataError, DeniedError, ServiceError, TransientError
from job.sources import Snapshot, extract, planned_sql, snowflake
from tests.fakes import metadata
from tests.fakes.snowflake import FakeSnowflake
from tests.unit.sources.conftest import make_config

COLUMNS = (
    "DAY DATE, SALES NUMBER(38,2), TV NUMBER(10,4), GRP FLOAT, MAIL INTEGER, PRICE VARCHAR, "
    "EVENT VARCHAR"
)
USER_AND_PASSWORD = ("SNOWFLAKE_USER", "SNOWFLAKE_PASSWORD")
SOURCE = {"type": "snowflake", "table": "analytics.mmm.daily"}


@pytest.fixture
def table(snowflake_server: FakeSnowflake) -> FakeSnowflake:
    """Forty days in ANALYTICS.MMM.DAILY."""
    rows = ", ".join(
        f"('{day.date()}', {100 + i}.25, {i}.5, {i * 0.5}, {'NULL' if i == 3 else i}, '{i}.5', 'no')"
        for i, day in enumerate(pd.date_range("2024-01-01", periods=40))
    )
    snowflake_server.execute(
        f"CREATE OR REPLACE TABLE DAILY ({COLUMNS})", f"INSERT INTO DAILY VALUES {rows}"
    )
    snowflake_server.set(forget=True)
    return snowflake_server


def run(
    server: FakeSnowflake, to: Path, env: dict[str, str] | None = None, **fields: Any
) -> Snapshot:
    config = make_config(fields.pop("source", SOURCE), **fields)
    return extract(config, run_id="run-7", to=to / "s.parquet", env=env or server.env)


def test_reads_a_table_with_explicit_types(table: FakeSnowflake, tmp_path: Path) -> None:
    snapshot = run(table, tmp_path)
    read = pq.read_table(snapshot.path)
    assert [str(f.type) for f in read.schema] == ["date32[day]", *["double"] * 5, "string"]
    assert snapshot.rows == 40
    assert read["sales"].to_pylist()[:2] == [100.25, 101.25]
    assert read["mail"].to_pylist()[3] is None
    assert [n.column for n in snapshot.evidence.notices] == ["mail"]


def test_one_row_per_period_travels(table: FakeSnowflake, tmp_path: Path) -> None:
    snapshot = run(table, tmp_path, date={"column": "day", "frequency": "week"})
    (query,) = [q["sql"] for q in table.seen()["queries"] if q["sql"].startswith("WITH")]
    assert query == snapshot.sql[0]
    assert snapshot.rows == 5  # the sixth week is not complete
    assert [str(day) for day in snapshot.evidence.dropped] == ["2024-02-05"]


def test_results_in_chunks(table: FakeSnowflake, tmp_path: Path) -> None:
    table.set(chunk_rows=7)
    assert run(table, tmp_path).rows == 40
    assert table.seen()["chunks"] == 5


def test_session_carries_tag_limits_role_and_warehouse(
    table: FakeSnowflake, tmp_path: Path
) -> None:
    run(table, tmp_path, {**table.env, "SNOWFLAKE_STATEMENT_TIMEOUT": "77"})
    login = table.seen()["logins"][-1]
    assert login["role"] == "READER"
    assert login["warehouse"] == "TINY"
    parameters = login["session_parameters"]
    assert parameters["QUERY_TAG"] == "run-7"
    assert int(parameters["STATEMENT_TIMEOUT_IN_SECONDS"]) == 77


@pytest.mark.parametrize("passphrase", [None, "hush"])
def test_key_pair(table: FakeSnowflake, tmp_path: Path, passphrase: str | None) -> None:
    env = table.with_key_pair(tmp_path, passphrase=passphrase)
    assert run(table, tmp_path, env).rows == 40
    text = Path(env.pop("SNOWFLAKE_PRIVATE_KEY_FILE")).read_text()
    assert run(table, tmp_path, {**env, "SNOWFLAKE_PRIVATE_KEY": text}).rows == 40
    assert {login["authenticator"] for login in table.seen()["logins"]} == {"SNOWFLAKE_JWT"}


def test_workload_identity(
    table: FakeSnowflake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = {name: table.env[name] for name in table.env if name not in USER_AND_PASSWORD}
    env = {**account, "SNOWFLAKE_AUTHENTICATOR": "WORKLOAD_IDENTITY"}
    with metadata.running() as google:
        for name, value in google.env.items():
            monkeypatch.setenv(name, value)
        known = {"subject": google.subject, "google_key": google.public_key}
        table.set(users={"MMM_TRAINER": known}, forget=True)
        assert run(table, tmp_path, env).rows == 40
        [login] = table.seen()["logins"]
        assert (login["authenticator"], login["provider"]) == ("WORKLOAD_IDENTITY", "GCP")
        table.set(users={"MMM_TRAINER": {**known, "subject": "1"}})
        with pytest.raises(ServiceError, match="workload identity token is not valid"):
            run(table, tmp_path, env)
    with pytest.raises(TransientError, match="works only on Google Cloud"):
        run(table, tmp_path, env)


def test_password_and_oauth(table: FakeSnowflake, tmp_path: Path) -> None:
    table.set(users={"TRAINER": {"password": "password", "token": "t0ken"}})
    assert run(table, tmp_path).rows == 40
    env = {k: v for k, v in table.env.items() if k != "SNOWFLAKE_PASSWORD"}
    assert run(table, tmp_path, {**env, "SNOWFLAKE_OAUTH_TOKEN": "t0ken"}).rows == 40
    with pytest.raises(ServiceError, match="OAuth token is not valid"):
        run(table, tmp_path, {**env, "SNOWFLAKE_OAUTH_TOKEN": "stale"})


def test_errors_about_secrets_do_not_contain_them(table: FakeSnowflake, tmp_path: Path) -> None:
    env = table.with_key_pair(tmp_path, passphrase="hush")
    other = tmp_path / "other"
    other.mkdir()
    table.with_key_pair(other)
    with pytest.raises(ServiceError, match=r"does not belong to the user.*RSA_PUBLIC_KEY"):
        run(table, tmp_path, env)
    for change, message in (
        ({"SNOWFLAKE_PRIVATE_KEY_PASSPHRASE": "wr0ng"}, "passphrase is wrong"),
        ({"SNOWFLAKE_PRIVATE_KEY_PASSPHRASE": ""}, "encrypted: set SNOWFLAKE_PRIVATE_KEY_PASSP"),
        ({"SNOWFLAKE_PRIVATE_KEY_FILE": "/nowhere"}, "cannot be read: No such file"),
        ({"SNOWFLAKE_USER": ""}, "needs SNOWFLAKE_USER"),
    ):
        with pytest.raises(ServiceError, match=message) as caught:
            run(table, tmp_path, {**env, **change})
        assert "wr0ng" not in str(caught.value)
    table.set(users={"TRAINER": {"password": "right"}})
    with pytest.raises(ServiceError, match="user or password is wrong") as caught:
        run(table, tmp_path, {**table.env, "SNOWFLAKE_PASSWORD": "canary"})
    assert caught.value.exit_code == 69
    assert "canary" not in str(caught.value)


def test_a_workload_identity_needs_no_user_and_reads_no_secret() -> None:
    env = {
        "SNOWFLAKE_ACCOUNT": "a",
        "SNOWFLAKE_AUTHENTICATOR": "WORKLOAD_IDENTITY",
        "SNOWFLAKE_PASSWORD": "p",
    }
    arguments = snowflake.login(env, run_id="r")
    assert arguments["authenticator"] == "WORKLOAD_IDENTITY"
    assert arguments["workload_identity_provider"] == "GCP"
    assert not {"user", "password"} & arguments.keys()
    with pytest.raises(ServiceError, match="is `oauth`; allowed: WORKLOAD_IDENTITY"):
        snowflake.login({**env, "SNOWFLAKE_AUTHENTICATOR": "oauth"}, run_id="r")
    with pytest.raises(ServiceError, match="needs SNOWFLAKE_ACCOUNT in"):
        snowflake.login({**env, "SNOWFLAKE_ACCOUNT": ""}, run_id="r")


def test_login_names_missing_variables() -> None:
    with pytest.raises(ServiceError, match="SNOWFLAKE_ACCOUNT and SNOWFLAKE_USER"):
        snowflake.login({}, run_id="r")
    with pytest.raises(ServiceError, match="needs one of SNOWFLAKE_PRIVATE_KEY_FILE"):
        snowflake.login({"SNOWFLAKE_ACCOUNT": "a", "SNOWFLAKE_USER": "u"}, run_id="r")
    with pytest.raises(ServiceError, match=r"SNOWFLAKE_PORT is `x`; allowed: a whole number"):
        snowflake.login(
            {
                "SNOWFLAKE_ACCOUNT": "a",
                "SNOWFLAKE_USER": "u",
                "SNOWFLAKE_PASSWORD": "p",
                "SNOWFLAKE_PORT": "x",
            },
            run_id="r",
        )


def test_missing_table_and_column(table: FakeSnowflake, tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match=r"table `mmm.nope` in Snowflake does not exist") as e:
        run(table, tmp_path, source={"type": "snowflake", "table": "mmm.nope"})
    assert e.value.exit_code == 69
    with pytest.raises(DataError, match=r"no column `SPENT`.*EVENT") as missing:
        run(table, tmp_path, context=["SPENT"])
    assert missing.value.exit_code == 65
    with pytest.raises(DataError, match=r"no column `pricee`. Did you mean `PRICE`"):
        run(table, tmp_path, context=["pricee"])


@pytest.mark.parametrize(
    ("code", "message", "kind", "expected"),
    [
        (3001, "SQL access control error: Insufficient privileges", ServiceError, "GRANT SELECT"),
        (606, "No active warehouse selected", ServiceError, "SNOWFLAKE_WAREHOUSE"),
        (609, "cannot be resumed", ServiceError, "AUTO_RESUME"),
        (90073, "exceeded its quota", ServiceError, "resource monitor"),
        (630, "Statement reached its timeout", TransientError, "SNOWFLAKE_STATEMENT_TIMEOUT"),
        (604, "SQL execution canceled", TransientError, "was cancelled"),
        (904, "invalid identifier 'X'", DataError, "invalid identifier"),
        (
            2003,
            "Object 'X' does not exist or not authorized.",
            ServiceError,
            "SNOWFLAKE_ROLE and GRANT SELECT",
        ),
    ],
)
def test_errors_of_the_server(
    table: FakeSnowflake, tmp_path: Path, code: int, message: str, kind: type, expected: str
) -> None:
    table.set(faults=[{"on": "query", "code": code, "message": message, "times": -1}])
    with pytest.raises(kind, match=f"table `analytics.mmm.daily` in Snowflake.*{expected}"):
        run(table, tmp_path)
    assert not list(tmp_path.glob("s.parquet*"))


def test_a_busy_server_is_retried(table: FakeSnowflake, tmp_path: Path) -> None:
    table.set(faults=[{"on": "query", "status": 503}, {"on": "login", "status": 503}])
    assert run(table, tmp_path).rows == 40


def limit_download_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the retries of connector 4.x, which take 80 s for one chunk."""
    monkeypatch.setattr(result_batch, "MAX_DOWNLOAD_RETRY", 2, raising=False)


@pytest.mark.parametrize("where", ["login", "query", "chunk"])
def test_a_permanent_500_ends_the_run(
    table: FakeSnowflake, tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_download_retries(monkeypatch)
    table.set(faults=[{"on": where, "status": 500, "times": -1}], chunk_rows=7)
    env = {**table.env, "SNOWFLAKE_LOGIN_TIMEOUT": "2", "SNOWFLAKE_NETWORK_TIMEOUT": "2"}
    with pytest.raises(TransientError) as caught:
        run(table, tmp_path, env)
    assert caught.value.exit_code == 75
    assert not list(tmp_path.glob("s.parquet*"))


@pytest.mark.parametrize("where", ["login", "query"])
def test_403_may_pass(table: FakeSnowflake, tmp_path: Path, where: str) -> None:
    """It comes from a proxy, a firewall or an endpoint; Snowflake itself refuses with a code."""
    table.set(faults=[{"on": where, "status": 403, "times": -1}])
    with pytest.raises(DeniedError, match="the way to Snowflake is forbidden"):
        run(table, tmp_path)


def test_a_connection_cut_in_a_result_is_read_again(table: FakeSnowflake, tmp_path: Path) -> None:
    table.set(faults=[{"on": "chunk", "cut": True}], chunk_rows=7)
    snapshot = run(table, tmp_path)
    assert snapshot.rows == 40
    assert pq.read_table(snapshot.path)["sales"].to_pylist()[-1] == 139.25


def test_a_connection_that_is_always_cut_leaves_no_files(
    table: FakeSnowflake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_download_retries(monkeypatch)
    table.set(faults=[{"on": "chunk", "cut": True, "times": -1}], chunk_rows=7)
    with pytest.raises(TransientError, match=r"`analytics\.mmm\.daily` in Snowflake") as caught:
        run(table, tmp_path)
    assert caught.value.exit_code == 75
    assert not list(tmp_path.iterdir())


def test_a_query_may_run_longer_than_a_request(table: FakeSnowflake, tmp_path: Path) -> None:
    table.set(slow=4.0)
    assert run(table, tmp_path, {**table.env, "SNOWFLAKE_NETWORK_TIMEOUT": "2"}).rows == 40
    assert table.seen()["polls"] > 2


def test_text_in_a_numeric_column_is_reported(table: FakeSnowflake, tmp_path: Path) -> None:
    assert run(table, tmp_path).evidence.notices[0].column == "mail"
    table.execute(
        "CREATE OR REPLACE TABLE DAILY AS SELECT DAY, SALES, CASE WHEN TV = 5.5 THEN 'n/a' ELSE "
        "TV::VARCHAR END AS TV, GRP, MAIL, PRICE, EVENT FROM DAILY"
    )
    (notice,) = [n for n in run(table, tmp_path).evidence.notices if n.column == "tv"]
    assert notice.unreadable == 1
    assert str(notice.period) == "2024-01-06"


def test_a_query_can_only_select(table: FakeSnowflake, tmp_path: Path) -> None:
    source = {"type": "snowflake", "query": "SELECT * FROM DAILY WHERE DAY < '2024-01-11' -- why"}
    assert run(table, tmp_path, source=source).rows == 10
    for bad in (
        "SELECT 1; DROP TABLE DAILY",
        "DROP TABLE DAILY",
        "SELECT 1) X; DROP TABLE DAILY --",
        "WITH A AS (DELETE FROM DAILY RETURNING *) SELECT * FROM A",
        "CALL SOMETHING()",
        "SELECT SYSTEM$CANCEL_ALL_QUERIES(1)",
    ):
        with pytest.raises(ConfigError, match=r"`source\.query`"):
            run(table, tmp_path, source={"type": "snowflake", "query": bad})
    table.execute("SELECT COUNT(*) FROM DAILY")


def test_no_rows_are_explained(table: FakeSnowflake, tmp_path: Path) -> None:
    late = {"column": "day", "frequency": "day", "start": "2030-01-01"}
    with pytest.raises(DataError, match=r"no rows from 2030-01-01.*2024-01-01 to 2024-02-09"):
        run(table, tmp_path, date=late)
    by_event = {**SOURCE, "country_column": "EVENT", "country": "nno"}
    with pytest.raises(DataError, match=r"`EVENT` = `nno`; it has no. Did you mean `no`"):
        run(table, tmp_path, source=by_event, factors=[])


def test_plan_runs_nothing(table: FakeSnowflake) -> None:
    sql = planned_sql(make_config(SOURCE), env=table.env)
    assert sql.startswith("WITH given AS")
    assert all(not q["sql"].startswith("WITH") for q in table.seen()["queries"])
