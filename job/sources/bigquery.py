"""Read BigQuery through its client: a dry run gives the columns, the Storage API the batches."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from typing import Any

import google.auth
import pyarrow as pa
from google.api_core import exceptions as google_errors
from google.auth import exceptions as auth_errors
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from sqlglot import exp

from contract import environment
from contract.exceptions import DataError, DeniedError, MMMError, ServiceError, TransientError
from contract.retries import RETRY
from contract.source import BigQuerySource
from job.sources.relation import source_relation
from job.sources.schema import Field, Kind
from job.sources.warehouse import explained

_KINDS = {
    "INTEGER": Kind.INTEGER,
    "INT64": Kind.INTEGER,
    "NUMERIC": Kind.DECIMAL,
    "BIGNUMERIC": Kind.DECIMAL,
    "FLOAT": Kind.FLOAT,
    "FLOAT64": Kind.FLOAT,
    "BOOLEAN": Kind.BOOLEAN,
    "BOOL": Kind.BOOLEAN,
    "DATE": Kind.DATE,
    "DATETIME": Kind.TIMESTAMP,
    "TIMESTAMP": Kind.TIMESTAMP_TZ,
    "STRING": Kind.TEXT,
}
EMULATOR = "BIGQUERY_EMULATOR_HOST"
QUERY_SECONDS = 1800
REQUEST_SECONDS = 120
DATASETS = 10_000


class BigQuery:
    """A client, and the table or query that it reads.

    `open_reader` opens a client of the Storage API; without it, results come from the REST API.
    """

    dialect = "bigquery"
    first_row = None

    def __init__(
        self,
        client: Any,
        relation: exp.Expr,
        description: str,
        *,
        run_id: str,
        open_reader: Callable[[], Any] | None = None,
    ) -> None:
        self._client = client
        self.relation = relation
        self.description = description
        self._labels = {"run_id": re.sub(r"[^a-z0-9_-]", "-", run_id.lower())[:63]}
        self._open_reader = open_reader
        self._readers = ExitStack()

    def fields(self) -> Sequence[Field]:
        """Return the columns of the relation, from a dry run, which reads no data and is free."""
        job = self._dry_run()
        return [
            Field(
                name=column.name,
                kind=Kind.OTHER
                if column.mode == "REPEATED"
                else _KINDS.get(column.field_type, Kind.OTHER),
            )
            for column in job.schema or ()
        ]

    def bytes_to_read(self) -> int:
        """Return the bytes that BigQuery bills for reading the relation, from a dry run."""
        return int(self._dry_run().total_bytes_processed or 0)

    def stream(self, sql: str) -> Iterator[pa.RecordBatch]:
        """Yield the result of a query, batch by batch."""
        config = bigquery.QueryJobConfig(labels=self._labels, job_timeout_ms=QUERY_SECONDS * 1000)
        job = self._query(sql, config)
        rows = self._call(lambda: job.result(timeout=QUERY_SECONDS, retry=RETRY, job_retry=None))
        reader = None
        if self._open_reader is not None:
            reader = self._readers.enter_context(self._open_reader())
        batches = iter(rows.to_arrow_iterable(bqstorage_client=reader))
        while (batch := self._call(lambda: next(batches, None))) is not None:
            yield batch

    def close(self) -> None:
        """Close the connections of all clients."""
        self._readers.close()
        self._client.close()

    def _dry_run(self) -> Any:
        sql = exp.select("*").from_(self.relation.copy()).sql(dialect="bigquery")
        return self._query(sql, bigquery.QueryJobConfig(dry_run=True, use_query_cache=False))

    def _query(self, sql: str, config: bigquery.QueryJobConfig) -> Any:
        return self._call(
            lambda: self._client.query(
                sql, job_config=config, timeout=REQUEST_SECONDS, retry=RETRY, job_retry=None
            )
        )

    def _call(self, call: Any) -> Any:
        """Call the client and translate its errors."""
        return explained(call, lambda error: explain(error, self.description))


def connect(source: BigQuerySource, *, run_id: str, env: Mapping[str, str]) -> BigQuery:
    """Create a client with the job's service account.

    If BIGQUERY_EMULATOR_HOST (http://…) is set, the client uses this emulator and no Storage API.

    Raises:
        ServiceError: No credentials are found.
    """
    relation = source_relation(source, "bigquery")
    subject = f"table `{source.table}` in" if source.table else "the query on"
    client, credentials = open_client(env, location=source.location)

    def open_reader() -> Any:
        from google.cloud import bigquery_storage

        return bigquery_storage.BigQueryReadClient(credentials=credentials)  # type: ignore[no-untyped-call]

    return BigQuery(
        client,
        relation,
        f"{subject} BigQuery",
        run_id=run_id,
        open_reader=None if env.get(EMULATOR) else open_reader,
    )


def open_client(env: Mapping[str, str], *, location: str | None = None) -> tuple[Any, Any]:
    """Return a client with the default account, and its credentials.

    Raises:
        ServiceError: No credentials are found.
    """
    emulator = env.get(EMULATOR)
    try:
        credentials, project = (
            (AnonymousCredentials(), None)  # type: ignore[no-untyped-call]
            if emulator
            else google.auth.default(scopes=bigquery.Client.SCOPE)
        )
        client = bigquery.Client(
            project=env.get(environment.PROJECT) or project,
            credentials=credentials,
            location=location,
            client_options={"api_endpoint": emulator} if emulator else None,
        )
    except (auth_errors.GoogleAuthError, OSError) as error:
        raise ServiceError(f"no credentials for BigQuery: {error}") from None
    return client, credentials


def dataset_names(project: str, *, env: Mapping[str, str] = os.environ) -> list[str]:
    """Return the datasets of a project that the account can read, at most DATASETS, in all regions.

    Raises:
        ServiceError: BigQuery refuses the request.
        TransientError: BigQuery does not answer.
    """
    what = f"the list of datasets of project `{project}`"
    client, _ = open_client(env)
    with closing(client):
        return explained(
            lambda: [
                dataset.dataset_id
                for dataset in client.list_datasets(
                    project, max_results=DATASETS, retry=RETRY, timeout=REQUEST_SECONDS
                )
            ],
            lambda error: explain(error, what),
        )


def make(client: Any, sql: str, what: str) -> None:
    """Run a statement that makes a table or a view; `what` names it in errors.

    Raises:
        MMMError: BigQuery refuses, or does not answer.
    """
    explained(
        lambda: client.query(sql, timeout=REQUEST_SECONDS, retry=RETRY, job_retry=None).result(
            timeout=QUERY_SECONDS, retry=RETRY, job_retry=None
        ),
        lambda error: explain(error, what),
    )


def explain(error: Exception, what: str) -> MMMError | None:
    """Translate an error of BigQuery or the network; return None for any other error.

    Args:
        error: The error to translate.
        what: The table or query, for the message.
    """
    if isinstance(error, MMMError):
        return error
    text = " ".join(str(getattr(error, "message", error)).split())[:300]
    if isinstance(error, google_errors.NotFound):
        return ServiceError(f"{what} does not exist; check `source` and `source.location`: {text}")
    if isinstance(error, google_errors.Forbidden | google_errors.Unauthorized):
        if "rate limit" in text.lower() or "quota" in text.lower():
            return TransientError(f"BigQuery's quota is used up ({what}): {text}")
        kind = DeniedError if isinstance(error, google_errors.Forbidden) else ServiceError
        return kind(
            f"{what} is not allowed; the job's account needs roles/bigquery.dataViewer on the "
            "dataset, and roles/bigquery.jobUser and roles/bigquery.readSessionUser on the project "
            f"that pays for queries: {text}"
        )
    if isinstance(error, google_errors.BadRequest):
        return DataError(f"{what}: {text}")
    if isinstance(error, auth_errors.GoogleAuthError):
        return ServiceError(f"no credentials for BigQuery: {text}")
    if isinstance(error, google_errors.GoogleAPIError | OSError | TimeoutError | pa.ArrowException):
        return TransientError(f"BigQuery did not answer ({what}): {text}")
    return None
