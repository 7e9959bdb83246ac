"""Snowflake by its own connector: login from the environment, Arrow batches, errors for people.

Versions: 4.x and 5.x of the connector. 5 is a rewrite with the same interface for what is used
here, but for the limits of time (`_limits`). `execute(timeout=…)` is not used, for 5.x ignores it:
the statement's limit is a session parameter, which both and the server obey.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from sqlglot import exp

from contract.exceptions import DataError, MMMError, ServiceError, TransientError
from contract.source import SnowflakeSource
from job.sources import relation as relations
from job.sources.schema import Field, Kind

# type codes of the server's FIXED, REAL, TEXT, DATE, … as the connector's FIELD_TYPES lists them
_KINDS = {
    1: Kind.FLOAT,
    2: Kind.TEXT,
    3: Kind.DATE,
    4: Kind.TIMESTAMP,
    6: Kind.TIMESTAMP_TZ,
    7: Kind.TIMESTAMP_TZ,
    8: Kind.TIMESTAMP,
    13: Kind.BOOLEAN,
}
_FIXED = 0


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Seconds after which a login, a request and a statement are given up."""

    login: int = 30
    network: int = 120
    statement: int = 1800

    @classmethod
    def of(cls, env: Mapping[str, str]) -> Limits:
        """From SNOWFLAKE_LOGIN_TIMEOUT, SNOWFLAKE_NETWORK_TIMEOUT, SNOWFLAKE_STATEMENT_TIMEOUT."""
        found = {
            name: _seconds(env, f"SNOWFLAKE_{name.upper()}_TIMEOUT")
            for name in ("login", "network", "statement")
        }
        return cls(**{name: value for name, value in found.items() if value is not None})


class Snowflake:
    """An open connection and what is read through it."""

    dialect = "snowflake"

    def __init__(self, connection: Any, relation: exp.Expr, description: str) -> None:
        self._connection = connection
        self.relation = relation
        self.description = description

    def fields(self) -> Sequence[Field]:
        """Columns of the relation; the server describes them without running anything."""
        sql = exp.select("*").from_(self.relation.copy()).sql(dialect="snowflake")
        with self._connection.cursor() as cursor:
            described = self._told(lambda: cursor.describe(sql))
        return [Field(name=column.name, kind=_kind(column)) for column in described]

    def stream(self, sql: str) -> Iterator[pa.RecordBatch]:
        """The result of a query, one of the server's chunks at a time."""
        with self._connection.cursor() as cursor:
            self._told(lambda: cursor.execute(sql))
            batches = iter(cursor.fetch_arrow_batches())
            while (table := self._told(lambda: next(batches, None))) is not None:
                yield from table.to_batches()

    def close(self) -> None:
        """Log out; that this fails is nobody's trouble any more."""
        from snowflake.connector import errors

        try:
            self._connection.close(retry=False)
        except (errors.Error, OSError):
            return

    def _told(self, call: Any) -> Any:
        try:
            return call()
        except Exception as error:
            told = explain(error, self.description)
            if told is None:
                raise
            raise told from None


def connect(source: SnowflakeSource, *, run_id: str, env: Mapping[str, str]) -> Snowflake:
    """Log in with what SNOWFLAKE_* variables say.

    Raises:
        ServiceError: variables are missing, or the server refuses them.
        TransientError: the server does not answer.
    """
    import snowflake.connector

    relation = relations.of(source, "snowflake")
    what = f"table `{source.table}` in" if source.table else "the query on"
    arguments = login(env, run_id=run_id)
    try:
        connection = snowflake.connector.connect(**arguments)
    except Exception as error:
        told = explain(error, f"Snowflake account `{arguments['account']}`")
        if told is None:
            raise
        raise told from None
    return Snowflake(connection, relation, f"{what} Snowflake")


def login(env: Mapping[str, str], *, run_id: str) -> dict[str, Any]:
    """The connector's arguments; key pair first, then OAuth token, then password.

    Raises:
        ServiceError: what is missing or unreadable, by the variable's name.
    """
    missing = [n for n in ("SNOWFLAKE_ACCOUNT", "SNOWFLAKE_USER") if not env.get(n)]
    if missing:
        raise ServiceError(f"the Snowflake login needs {' and '.join(missing)} in the environment")
    limits = Limits.of(env)
    arguments: dict[str, Any] = {
        "account": env["SNOWFLAKE_ACCOUNT"],
        "user": env["SNOWFLAKE_USER"],
        "application": "mmm_trainer",
        "client_session_keep_alive": False,
        **_limits(limits),
        "session_parameters": {
            "QUERY_TAG": run_id,
            "STATEMENT_TIMEOUT_IN_SECONDS": limits.statement,
            "TIMEZONE": "UTC",
        },
        **_credentials(env),
    }
    for name in ("role", "warehouse", "database", "schema", "host", "protocol"):
        if env.get(f"SNOWFLAKE_{name.upper()}"):
            arguments[name] = env[f"SNOWFLAKE_{name.upper()}"]
    if (port := _seconds(env, "SNOWFLAKE_PORT")) is not None:
        arguments["port"] = port
    return arguments


def _limits(limits: Limits) -> dict[str, Any]:
    """The limits as the installed connector takes them.

    In 4.x `network_timeout` ends the attempts of one request, and a query is many of them, for the
    server answers every 45 s that it still runs. In 5.x the same word would end the query itself.
    """
    import snowflake.connector

    if int(snowflake.connector.__version__.split(".")[0]) < 5:
        return {"login_timeout": limits.login, "network_timeout": limits.network}
    return {
        "login_timeout": limits.login,
        "query_timeout": limits.statement + limits.network,
        "request_timeout": limits.network,
        "retry_timeout": limits.network,  # of one attempt
        "enable_server_session_keep_alive_auto_detection": False,  # nothing is left running
    }


def _credentials(env: Mapping[str, str]) -> dict[str, Any]:
    file, text = env.get("SNOWFLAKE_PRIVATE_KEY_FILE"), env.get("SNOWFLAKE_PRIVATE_KEY")
    if file or text:
        if file:
            try:
                pem = Path(file).read_bytes()
            except OSError as error:
                raise ServiceError(
                    f"SNOWFLAKE_PRIVATE_KEY_FILE is `{file}`, which cannot be read: "
                    f"{error.strerror}"
                ) from None
        else:
            pem = (text or "").replace("\\n", "\n").encode()
        passphrase = env.get("SNOWFLAKE_PRIVATE_KEY_PASSPHRASE")
        return {"authenticator": "SNOWFLAKE_JWT", "private_key": _der(pem, passphrase)}
    if env.get("SNOWFLAKE_OAUTH_TOKEN"):
        return {"authenticator": "oauth", "token": env["SNOWFLAKE_OAUTH_TOKEN"]}
    if env.get("SNOWFLAKE_PASSWORD"):
        return {"password": env["SNOWFLAKE_PASSWORD"]}
    raise ServiceError(
        "the Snowflake login needs one of SNOWFLAKE_PRIVATE_KEY_FILE, SNOWFLAKE_PRIVATE_KEY, "
        "SNOWFLAKE_OAUTH_TOKEN and SNOWFLAKE_PASSWORD in the environment"
    )


def _der(pem: bytes, passphrase: str | None) -> bytes:
    """The private key as the connector takes it; nothing of it gets into a message."""
    from cryptography.hazmat.primitives import serialization

    try:
        key = serialization.load_pem_private_key(pem, passphrase.encode() if passphrase else None)
    except TypeError:
        problem = (
            "is not encrypted: leave SNOWFLAKE_PRIVATE_KEY_PASSPHRASE out"
            if passphrase
            else "is encrypted: give SNOWFLAKE_PRIVATE_KEY_PASSPHRASE"
        )
        raise ServiceError(f"the Snowflake private key {problem}") from None
    except ValueError:
        problem = "or the passphrase is wrong" if passphrase else "in PEM form (PKCS#8)"
        raise ServiceError(f"the Snowflake private key is not a private key {problem}") from None
    return key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


# error numbers of the server and of the connector, and what a person can do about them
_REFUSED: dict[int, str] = {
    390100: "user or password is wrong (SNOWFLAKE_USER, SNOWFLAKE_PASSWORD)",
    390101: "the user is locked or disabled; ask the account's administrator",
    390102: "the user is locked; ask the account's administrator",
    390144: "the private key does not belong to the user: set its public key with ALTER USER … SET "
    "RSA_PUBLIC_KEY",
    390186: "the role (SNOWFLAKE_ROLE) does not exist or is not granted to the user",
    390189: "the role (SNOWFLAKE_ROLE) does not exist or is not granted to the user",
    390201: "the database, schema or warehouse does not exist or is not granted to the role",
    390303: "the OAuth token is not valid; SNOWFLAKE_OAUTH_TOKEN must be a fresh one",
    390318: "the OAuth token has expired; SNOWFLAKE_OAUTH_TOKEN must be a fresh one",
    390422: "this address is not in the account's network policy",
    606: "no warehouse is set: give SNOWFLAKE_WAREHOUSE",
    609: "the warehouse is suspended and must not resume: ALTER WAREHOUSE … SET AUTO_RESUME = TRUE",
    3001: "the role lacks a privilege: GRANT SELECT on it (and USAGE on its database and schema)",
    90073: "the warehouse is suspended by a resource monitor; its quota is used up",
    90105: "no database is set: give SNOWFLAKE_DATABASE or write DATABASE.SCHEMA.TABLE",
}
_TIMED_OUT = {604: "was cancelled", 630: "took longer than SNOWFLAKE_STATEMENT_TIMEOUT allows"}
_MISSING_TABLE = 2003
_TRANSIENT_TEXT = re.compile(
    r"50[0234]|timed? ?out|timeout|connection|unreachable|reset by peer|temporar|retry|max retries",
    re.IGNORECASE,
)


def explain(error: Exception, what: str) -> MMMError | None:
    """The error in this project's words; None for what is not the connector's or network's."""
    from snowflake.connector import errors

    if isinstance(error, MMMError):
        return error
    if not isinstance(error, errors.Error):
        if isinstance(error, OSError | pa.ArrowException):
            return TransientError(f"the answer about {what} was cut off: {type(error).__name__}")
        return None
    number, text = int(error.errno or 0), _message(error)
    if number in _REFUSED or number - 390000 in range(100, 500):
        remedy = _REFUSED.get(number, text)
        return ServiceError(f"{what}: {remedy} [Snowflake {number}]")
    if number in _TIMED_OUT:
        return TransientError(f"{what}: the query {_TIMED_OUT[number]} [Snowflake {number}]")
    if number == _MISSING_TABLE:
        if "not authorized" in text or "does not exist" in text.lower():
            return ServiceError(
                f"{what} does not exist or the role may not see it; check `source`, SNOWFLAKE_ROLE "
                f"and GRANT SELECT: {text} [Snowflake {number}]"
            )
        return ServiceError(f"{what}: {text} [Snowflake {number}]")
    if isinstance(error, errors.ProgrammingError):
        return DataError(f"{what}: {text} [Snowflake {number}]")
    if isinstance(error, errors.OperationalError | errors.InterfaceError | errors.InternalError):
        return TransientError(f"{what} did not answer: {text} [Snowflake {number}]")
    if _TRANSIENT_TEXT.search(text):
        return TransientError(f"{what} did not answer: {text} [Snowflake {number}]")
    return ServiceError(f"{what}: {text} [Snowflake {number}]")


def _message(error: Exception) -> str:
    """The server's own words on one line, without numbers and ids in front."""
    text = str(getattr(error, "raw_msg", None) or getattr(error, "msg", None) or error)
    text = re.sub(r"^\d+ \([^)]*\): (?:[0-9a-f-]{36}: )?", "", text)
    return " ".join(text.split())[:300]


def _kind(column: Any) -> Kind:
    if column.type_code == _FIXED:
        return Kind.DECIMAL if column.scale else Kind.INTEGER
    return _KINDS.get(column.type_code, Kind.OTHER)


def _seconds(env: Mapping[str, str], name: str) -> int | None:
    text = env.get(name)
    if not text:
        return None
    if not text.isdigit() or int(text) == 0:
        raise ServiceError(f"{name} is `{text}`; allowed: a whole number above 0")
    return int(text)
