"""BigQuery's REST API over HTTP: it parses queries as BigQuery SQL and runs them in DuckDB.

It has jobs.insert (dry runs too), jobs.get, jobs.getQueryResults and datasets.list in pages,
INFORMATION_SCHEMA.TABLES, views, and external tables over buckets, which are folders. It does not have the Storage API. Errors, reasons and codes follow the service's
documentation.
"""

from __future__ import annotations

import json
import re
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

_TYPES = {
    "BIGINT": "INTEGER",
    "HUGEINT": "INTEGER",
    "INTEGER": "INTEGER",
    "DOUBLE": "FLOAT",
    "BOOLEAN": "BOOLEAN",
    "DATE": "DATE",
    "TIMESTAMP": "DATETIME",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMP",
    "VARCHAR": "STRING",
}
PAGE_ROWS = 7
_EXTERNAL = re.compile(
    r"CREATE OR REPLACE EXTERNAL TABLE `([^`]+)` \((.*?)\)\n"
    r"OPTIONS \(format = '(\w+)', uris = \['gs://([^/]+)/([^']+)'\]",
    re.DOTALL,
)


class RefusedError(Exception):
    """An error of the service: HTTP status, reason, message."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status, self.reason = status, reason

    @property
    def body(self) -> dict[str, Any]:
        details = [{"reason": self.reason, "message": str(self), "domain": "global"}]
        return {"error": {"code": self.status, "message": str(self), "errors": details}}


class FakeBigQuery:
    """A running service; `faults` are (method, path ending, error, times)."""

    def __init__(self) -> None:
        self.database = duckdb.connect()
        self.database.execute("SET TimeZone = 'UTC'")
        self.lock = threading.Lock()
        self.jobs: dict[str, dict[str, Any]] = {}
        self.results: dict[str, list[tuple[Any, ...]]] = {}
        self.faults: list[list[Any]] = []
        self.inserted: list[dict[str, Any]] = []
        self.bytes_to_read = 10_000
        self.buckets: dict[str, Path] = {}
        self.url = ""

    @property
    def env(self) -> dict[str, str]:
        return {"BIGQUERY_EMULATOR_HOST": self.url, "MMM_PROJECT": "demo-proj"}

    def fail(self, on: str, status: int, reason: str, message: str, *, times: int = -1) -> None:
        """Answer requests whose path contains `on` with an error."""
        self.faults.append([on, RefusedError(status, reason, message), times])

    def answer(self, method: str, target: str, body: dict[str, Any]) -> dict[str, Any]:
        parts = urlsplit(target)
        parameters = parse_qs(parts.query)
        self._fault(f"{method} {parts.path}")
        steps = parts.path.strip("/").removeprefix("bigquery/v2/").split("/")
        with self.lock:
            match steps:
                case ["projects", project, "jobs"] if method == "POST":
                    return self._insert(project, body)
                case ["projects", _, "jobs", name]:
                    return self.jobs[name]
                case ["projects", _, "queries", name]:
                    return self._results(name, parameters)
                case ["projects", project, "datasets"]:
                    return self._datasets(project, parameters)
        raise RefusedError(404, "notFound", f"Not found: {parts.path}")

    def _datasets(self, project: str, parameters: dict[str, list[str]]) -> dict[str, Any]:
        names = [row[0] for row in self._run("SELECT schema_name FROM information_schema.schemata "
                                             "WHERE catalog_name = 'memory' ORDER BY ALL")]  # fmt: skip
        start = int(parameters.get("pageToken", ["0"])[0])
        more = {"nextPageToken": str(start + PAGE_ROWS)} if start + PAGE_ROWS < len(names) else {}
        shown = [
            {"datasetReference": {"projectId": project, "datasetId": name}}
            for name in names[start : start + PAGE_ROWS]
        ]
        return {"kind": "bigquery#datasetList", "datasets": shown, **more}

    def _fault(self, request: str) -> None:
        for fault in self.faults:
            if fault[0] in request and fault[2] != 0:
                fault[2] -= fault[2] > 0
                raise fault[1]

    def _insert(self, project: str, body: dict[str, Any]) -> dict[str, Any]:
        configuration = body["configuration"]
        self.inserted.append(configuration)
        name = body["jobReference"].get("jobId", uuid.uuid4().hex)
        if name in self.jobs:
            raise RefusedError(409, "duplicate", f"Already Exists: Job {name}")
        sql = configuration["query"]["query"]
        if sql.startswith("CREATE"):
            self._run(self._definition(sql))
            sql = "SELECT 1 AS made WHERE FALSE"
        columns = self._run(f"DESCRIBE {self._translated(sql)}")
        fields = [{"name": c[0], "type": _type(c[1]), "mode": "NULLABLE"} for c in columns]
        dry = configuration.get("dryRun", False)
        if not dry:
            self.results[name] = self._run(self._translated(sql))
            table = {"projectId": project, "datasetId": "results", "tableId": name}
            configuration["query"]["destinationTable"] = table
        job = {
            "kind": "bigquery#job",
            "id": f"{project}:US.{name}",
            "jobReference": {"projectId": project, "jobId": name, "location": "US"},
            "configuration": configuration | {"jobType": "QUERY"},
            "status": {"state": "DONE"},
            "statistics": {
                "query": {
                    "schema": {"fields": fields},
                    "statementType": "SELECT",
                    "totalBytesProcessed": str(self.bytes_to_read),
                },
            },
        }
        if not dry:
            self.jobs[name] = job
        return job

    def _definition(self, sql: str) -> str:
        """Return DuckDB's statement for a table, a view, or an external table."""
        found = _EXTERNAL.match(sql)
        if found is None:
            return self._translated(sql)
        name, columns, kind, bucket, place = found.groups()
        # A single asterisk stands for anything, across folders.
        files = f"{self.buckets[bucket]}/{place.replace('*/', '**/')}"
        if not any(self.buckets[bucket].glob(place.replace("*/", "**/"))):
            raise RefusedError(400, "invalid", f"no file matches gs://{bucket}/{place}")
        definition = sqlglot.parse_one(f"CREATE TABLE t ({columns})", read="bigquery")
        fields = {
            field.name: field.kind.sql(dialect="duckdb")
            for field in definition.find_all(exp.ColumnDef)
            if field.parent is definition.this
        }
        if kind == "PARQUET":
            reader = f"read_parquet('{files}', union_by_name = true)"
            shown = ", ".join(
                f'CAST("{one}" AS {type_}) AS "{one}"' for one, type_ in fields.items()
            )
        else:
            types = ", ".join(f"'{one}': '{type_}'" for one, type_ in fields.items())
            reader = (
                f"read_json('{files}', format = 'newline_delimited', ignore_errors = true, "
                f"columns = {{{types}}})"
            )
            shown = "*"
        place = self._translated(f"SELECT * FROM `{name}`").partition(" FROM ")[2]
        return f"CREATE OR REPLACE VIEW {place} AS SELECT {shown} FROM {reader}"

    def _translated(self, sql: str) -> str:
        try:
            tree = sqlglot.parse_one(sql, read="bigquery")
        except SqlglotError as error:
            raise RefusedError(400, "invalidQuery", f"Syntax error: {error}") from None
        return tree.transform(_listing).sql(dialect="duckdb")

    def _run(self, sql: str) -> list[tuple[Any, ...]]:
        try:
            return self.database.execute(sql).fetchall()
        except duckdb.CatalogException as error:
            raise RefusedError(404, "notFound", f"Not found: Table {error}") from None
        except duckdb.Error as error:
            raise RefusedError(400, "invalidQuery", str(error)) from None

    def _results(self, name: str, parameters: dict[str, list[str]]) -> dict[str, Any]:
        job = self.jobs[name]
        made = {
            "kind": "bigquery#getQueryResultsResponse",
            "schema": job["statistics"]["query"]["schema"],
            "jobReference": job["jobReference"],
            "jobComplete": True,
            "totalRows": str(len(self.results[name])),
        }
        return (
            made if parameters.get("maxResults") == ["0"] else made | self._page(name, parameters)
        )

    def _page(self, name: str, parameters: dict[str, list[str]]) -> dict[str, Any]:
        rows = self.results[name]
        start = int(parameters.get("pageToken", ["0"])[0])
        page = [{"f": [{"v": _json(v)} for v in row]} for row in rows[start : start + PAGE_ROWS]]
        more = {"pageToken": str(start + PAGE_ROWS)} if start + PAGE_ROWS < len(rows) else {}
        return {"rows": page, "totalRows": str(len(rows)), **more}


def _listing(node: exp.Expr) -> exp.Expr:
    """Return DuckDB's list of tables for `<dataset>.INFORMATION_SCHEMA.TABLES`."""
    if not isinstance(node, exp.Table) or node.name != "INFORMATION_SCHEMA.TABLES":
        return node
    tables = exp.select("table_name").from_("information_schema.tables")
    return tables.where(exp.column("table_schema").eq(node.db)).subquery("tables")


def _type(name: str) -> str:
    return "NUMERIC" if name.startswith("DECIMAL") else _TYPES[name]


def _json(value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        moment = value.astimezone(UTC) if value.tzinfo else None
        return value.isoformat() if moment is None else str(_microseconds(moment))
    return value.isoformat() if isinstance(value, date) else str(value)


def _microseconds(moment: datetime) -> int:
    """Return the microseconds since 1970, as BigQuery writes a TIMESTAMP for its client."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@contextmanager
def running() -> Iterator[FakeBigQuery]:
    service = FakeBigQuery()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                status, made = (
                    200,
                    service.answer(self.command, self.path, json.loads(body or "{}")),
                )
            except RefusedError as error:
                status, made = error.status, error.body
            text = json.dumps(made).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = _serve  # noqa: N815

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        service.database.close()
