"""A config's query may read tables and compute; everything else is refused."""

from __future__ import annotations

import hashlib
from pathlib import Path

import duckdb
import pytest

from contract.exceptions import ConfigError, DataError
from job.sources import extract
from job.sources.relation import query
from tests.unit.sources.conftest import make_config

READS = [
    ("snowflake", "SELECT * FROM DB.S.T -- why"),
    ("snowflake", "WITH a AS (SELECT 1 AS x) SELECT x, ZEROIFNULL(x), IFF(x > 1, 1, 0) FROM a;"),
    ("snowflake", "SELECT d, value:amount::float FROM t, TABLE(FLATTEN(input => t.items))"),
    ("snowflake", "SELECT f.value FROM t, LATERAL FLATTEN(input => t.a) f"),
    ("snowflake", "SELECT DATEADD(day, SEQ4(), '2020-01-01') FROM TABLE(GENERATOR(rowcount => 9))"),
    ("snowflake", "SELECT table_name FROM information_schema.tables UNION ALL SELECT 'x'"),
    ("snowflake", "SELECT a FROM t QUALIFY ROW_NUMBER() OVER (PARTITION BY a ORDER BY b) = 1"),
    ("duckdb", "FROM daily SELECT day, sum(x) GROUP BY ALL"),
    ("duckdb", "SELECT * FROM range(3)"),
    ("duckdb", "SELECT * FROM (PIVOT t ON a USING sum(b))"),
    ("bigquery", "SELECT SAFE_CAST(a AS FLOAT64) FROM `p-1.d.t_*`, UNNEST([1, 2]) AS x"),
    ("bigquery", "SELECT SAFE.PARSE_DATE('%Y', b), HLL_COUNT.MERGE(z) FROM d.t"),
]
REFUSED = [
    *(
        ("snowflake", text)
        for text in (
            "SELECT * FROM @stage/file.csv",
            "SELECT $1 FROM @~/x",
            "SELECT * FROM DIRECTORY(@s)",
            "SELECT GET_PRESIGNED_URL(@s, 'x')",
            "SELECT SYSTEM$CANCEL_ALL_QUERIES(1)",
            'SELECT "SYSTEM$WAIT"(3)',
            "SELECT * FROM (SELECT system$wait(3) AS x) y",
            "SELECT * FROM TABLE(RESULT_SCAN('x'))",
            "SELECT * FROM TABLE(TO_QUERY('drop table t'))",
            "SELECT * FROM TABLE(my_function(1))",
            "SELECT * FROM TABLE(information_schema.query_history())",
            "SELECT * FROM IDENTIFIER('x')",
            "SELECT snowflake.cortex.complete('a', 'b')",
            "SELECT AI_COMPLETE('a', 'b')",
            "SELECT db.sch.f(1)",
            "SELECT s.NEXTVAL",
            "SELECT * FROM t WHERE a = ?",
            "CALL x()",
            "EXECUTE IMMEDIATE 'drop table x'",
            "WITH a AS (INSERT INTO t VALUES (1) RETURNING *) SELECT * FROM a",
            "COPY INTO @x FROM (SELECT 1)",
            "SHOW TABLES ->> SELECT * FROM $1",
            "SELECT 1; SELECT 2",
            "SELECT 1 /* */; -- \nDROP TABLE x",
            "GRANT SELECT ON x TO y",
        )
    ),
    *(
        ("duckdb", text)
        for text in (
            "SELECT * FROM read_csv('/etc/passwd')",
            "SELECT * FROM read_text('/etc/passwd')",
            "SELECT * FROM '/etc/passwd'",
            "SELECT * FROM glob('/*')",
            "SELECT * FROM query('drop table t')",
            "SELECT * FROM duckdb_secrets()",
            "SELECT * FROM sqlite_scan('a', 'b')",
            "SELECT getenv('HOME')",
            "SELECT current_setting('x')",
            "COPY t TO 'x'",
            "ATTACH 'x' AS y",
            "INSTALL httpfs",
            "PRAGMA database_list",
            "SELECT * INTO x FROM t",
        )
    ),
    *(
        ("bigquery", text)
        for text in (
            "SELECT * FROM EXTERNAL_QUERY('c', 'drop table x')",
            "SELECT * FROM ML.PREDICT(MODEL m, TABLE t)",
            "SELECT * FROM VECTOR_SEARCH(TABLE t, 'e', TABLE q)",
            "SELECT KEYS.NEW_KEYSET('x')",
            "EXPORT DATA OPTIONS(uri='x') AS SELECT 1",
            "CREATE TEMP FUNCTION f() AS (1); SELECT f()",
            "BEGIN SELECT 1; END",
            "DECLARE x INT64",
        )
    ),
]


@pytest.mark.parametrize(("dialect", "text"), READS)
def test_reading_is_allowed(dialect: str, text: str) -> None:
    written = query(text, dialect).sql(dialect=dialect)
    assert query(written, dialect).sql(dialect=dialect) == written
    assert "why" not in written


@pytest.mark.parametrize(("dialect", "text"), REFUSED)
def test_everything_else_is_refused(dialect: str, text: str) -> None:
    with pytest.raises(ConfigError, match=r"`source\.query` .+") as caught:
        query(text, dialect)
    assert caught.value.exit_code == 64


def test_a_file_named_like_a_table_is_not_read(tmp_path: Path) -> None:
    """DuckDB reads a file if no table has its name; our connection may not read any file."""
    secret = tmp_path / "secret.csv"
    secret.write_text("day,sales\n2024-01-01,1\n")
    path = tmp_path / "w.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE daily (day DATE)")
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        source = {"type": "duckdb", "path": str(path), "query": 'SELECT * FROM "secret.csv"'}
        with pytest.raises(DataError, match=r"secret\.csv"):
            extract(make_config(source), run_id="r", to=tmp_path / "s.parquet")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before
