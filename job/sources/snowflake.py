"""Read Snowflake through its connector: log in from the environment, stream Arrow batches.

The module supports versions 4.x and 5.x of the connector. For the features used here, only the
timeouts differ (`_timeout_arguments`). `execute(timeout=…)` is not used, because 5.x ignores it.
The statement timeout is a session parameter, which both versions and the server respect.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from sqlglot import exp

from contract.exceptions import DataError, DeniedError, MMMError, ServiceError, TransientError
from contract.source import SnowflakeSource
from job.sources.relation import source_relation
from job.sources.schema import Field, Kind
from job.sources.warehouse import explained

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
class Timeouts:
    """Timeouts in seconds for the login, a network request and a statement."""

    login: int = 30
    network: int = 120
    statement: int = 1800

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Timeouts:
        """Read SNOWFLAKE_LOGIN_TIMEOUT, SNOWFLAKE_NETWORK_TIMEOUT and SNOWFLAKE_STATEMENT_TIMEOUT.

        Raises:
            ServiceError: A variable is not a whole number above 0.
        """
        seconds = {
            name: _positive_integer(env, f"SNOWFLAKE_{name.upper()}_TIMEOUT")
            for name in ("login", "network", "statement")
        }
        return cls(**{name: value for name, value in seconds.items() if value is not None})


class Snowflake:
    """An open connection, and the table or query that it reads."""

    dialect = "snowflake"
    first_row = None

    def __init__(self, connection: Any, relation: exp.Expr, description: str) -> None:
        self._connection = connection
        self.relation = relation
        self.description = description

    def fields(self) -> Sequence[Field]:
        """Return the columns of the relation; the server describes them without running a query."""
        sql = exp.select("*").from_(self.relation.copy()).sql(dialect="snowflake")
        with self._connection.cursor() as cursor:
            described = self._call(lambda: cursor.describe(sql))
        return [Field(name=column.name, kind=_kind(column)) for column in described]

    def stream(self, sql: str) -> Iterator[pa.RecordBatch]:
        """Yield the result of a query, one of the server's chunks at a time."""
        with self._connection.cursor() as cursor:
            self._call(lambda: cursor.execute(sql))
            batches = iter(cursor.fetch_arrow_batches())
            while (table := self._call(lambda: next(batches, None))) is not None:
                yield from table.to_batches()

    def close(self) -> None:
        """Log out, and ignore errors: the data has already been read."""
        from snowflake.connector import errors

        try:
            self._connection.close(retry=False)
        except (errors.Error, OSError):
            return

    def _call(self, call: Any) -> Any:
        """Call the connector and translate its errors."""
        return explained(call, lambda error: explain(error, self.description))


def connect(source: SnowflakeSource, *, run_id: str, env: Mapping[str, str]) -> Snowflake:
    """Log in with the SNOWFLAKE_* variables.

    Raises:
        ServiceError: A variable is missing, or the server refuses the login.
        TransientError: The server does not answer.
    """
    import snowflake.connector

    relation = source_relation(source, "snowflake")
    subject = f"table `{source.table}` in" if source.table else "the query on"
    arguments = login(env, run_id=run_id)
    connection = explained(
        lambda: snowflake.connector.connect(**arguments),
        lambda error: explain(error, f"Snowflake account `{arguments['account']}`"),
    )
    return Snowflake(connection, relation, f"{subject} Snowflake")


def login(env: Mapping[str, str], *, run_id: str) -> dict[str, Any]:
    """Return the connector's arguments.

    With SNOWFLAKE_AUTHENTICATOR=WORKLOAD_IDENTITY, Snowflake knows the user by the identity of the
    job's service account. Otherwise a private key takes precedence over an OAuth token, and a token
    over a password.

    Raises:
        ServiceError: A variable is missing or invalid; the message names it.
    """
    by_identity = bool(env.get("SNOWFLAKE_AUTHENTICATOR"))
    required = ["SNOWFLAKE_ACCOUNT"] if by_identity else ["SNOWFLAKE_ACCOUNT", "SNOWFLAKE_USER"]
    missing = [name for name in required if not env.get(name)]
    if missing:
        raise ServiceError(f"the Snowflake login needs {' and '.join(missing)} in the environment")
    timeouts = Timeouts.from_env(env)
    arguments: dict[str, Any] = {
        "account": env["SNOWFLAKE_ACCOUNT"],
        "application": "mmm_trainer",
        "client_session_keep_alive": False,
        **_timeout_arguments(timeouts),
        "session_parameters": {
            "QUERY_TAG": run_id,
            "STATEMENT_TIMEOUT_IN_SECONDS": timeouts.statement,
            "TIMEZONE": "UTC",
        },
        **_credentials(env),
    }
    for name in ("user", "role", "warehouse", "database", "schema", "host", "protocol"):
        if env.get(f"SNOWFLAKE_{name.upper()}"):
            arguments[name] = env[f"SNOWFLAKE_{name.upper()}"]
    if (port := _positive_integer(env, "SNOWFLAKE_PORT")) is not None:
        arguments["port"] = port
    return arguments


def _timeout_arguments(timeouts: Timeouts) -> dict[str, Any]:
    """Return the timeouts as arguments of the installed connector.

    In 4.x, `network_timeout` limits the attempts of one request. A long query is many requests,
    because the server answers every 45 s that it is still running. In 5.x, the same argument would
    limit the query itself.
    """
    import snowflake.connector

    if int(snowflake.connector.__version__.split(".")[0]) < 5:
        return {"login_timeout": timeouts.login, "network_timeout": timeouts.network}
    return {
        "login_timeout": timeouts.login,
        "query_timeout": timeouts.statement + timeouts.network,
        "request_timeout": timeouts.network,
        "retry_timeout": timeouts.network,  # per attempt
        "enable_server_session_keep_alive_auto_detection": False,  # no query outlives the session
    }


def _credentials(env: Mapping[str, str]) -> dict[str, Any]:
    if authenticator := env.get("SNOWFLAKE_AUTHENTICATOR"):
        if authenticator != "WORKLOAD_IDENTITY":
            raise ServiceError(
                f"SNOWFLAKE_AUTHENTICATOR is `{authenticator}`; allowed: WORKLOAD_IDENTITY. Unset "
                "it to sign in with a private key, a token or a password"
            )
        return {"authenticator": authenticator, "workload_identity_provider": "GCP"}
    file, text = env.get("SNOWFLAKE_PRIVATE_KEY_FILE"), env.get("SNOWFLAKE_PRIVATE_KEY")
    if file or text:
        if file:
            try:
                pem = Path(file).read_bytes()
            except OSError as error:
                raise ServiceError(
                    f"SNOWFLAKE_PRIVATE_KEY_FILE is `{file}`, but this file cannot be read: "
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
        "SNOWFLAKE_OAUTH_TOKEN and SNOWFLAKE_PASSWORD in the environment, or on Google Cloud "
        "SNOWFLAKE_AUTHENTICATOR=WORKLOAD_IDENTITY"
    )


def _der(pem: bytes, passphrase: str | None) -> bytes:
    """Return the private key in DER form for the connector; no message contains any of it."""
    from cryptography.hazmat.primitives import serialization

    try:
        key = serialization.load_pem_private_key(pem, passphrase.encode() if passphrase else None)
    except TypeError:
        problem = (
            "is not encrypted: unset SNOWFLAKE_PRIVATE_KEY_PASSPHRASE"
            if passphrase
            else "is encrypted: set SNOWFLAKE_PRIVATE_KEY_PASSPHRASE"
        )
        raise ServiceError(f"the Snowflake private key {problem}") from None
    except ValueError:
        problem = ", or the passphrase is wrong" if passphrase else ""
        raise ServiceError(
            f"the Snowflake private key is not a key in PEM form (PKCS#8){problem}"
        ) from None
    return key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


# error numbers of the server and the connector, each with its cause and remedy
_REFUSED: dict[int, str] = {
    390100: "the user or password is wrong (SNOWFLAKE_USER, SNOWFLAKE_PASSWORD)",
    390101: "the user is locked or disabled; ask the account's administrator",
    390102: "the user is locked; ask the account's administrator",
    390144: "the private key does not belong to the user: register its public key with ALTER USER "
    "… SET RSA_PUBLIC_KEY",
    390186: "the role (SNOWFLAKE_ROLE) does not exist or is not granted to the user",
    390189: "the role (SNOWFLAKE_ROLE) does not exist or is not granted to the user",
    390201: "the database, schema or warehouse does not exist or is not granted to the role",
    390303: "the OAuth token is not valid; set SNOWFLAKE_OAUTH_TOKEN to a new token",
    390318: "the OAuth token has expired; set SNOWFLAKE_OAUTH_TOKEN to a new token",
    390422: "the account's network policy does not allow this machine's address",
    606: "no warehouse is set: set SNOWFLAKE_WAREHOUSE",
    609: "the warehouse is suspended and may not resume: ALTER WAREHOUSE … SET AUTO_RESUME = TRUE",
    3001: "the role lacks a privilege: GRANT SELECT on it (and USAGE on its database and schema)",
    90073: "the warehouse is suspended by a resource monitor; its quota is used up",
    90105: "no database is set: set SNOWFLAKE_DATABASE, or write DATABASE.SCHEMA.TABLE in `source`",
}
_ENDED_EARLY = {604: "was cancelled", 630: "exceeded SNOWFLAKE_STATEMENT_TIMEOUT"}
_MISSING_TABLE = 2003
_NO_IDENTITY = re.compile(r"attestation failed|error fetching GCP", re.IGNORECASE)
_FORBIDDEN = re.compile(r"\b403\b.{0,3}Forbidden", re.IGNORECASE)
_TRANSIENT_TEXT = re.compile(
    r"50[0234]|timed? ?out|timeout|connection|unreachable|reset by peer|temporar|retry|max retries",
    re.IGNORECASE,
)


def explain(error: Exception, what: str) -> MMMError | None:
    """Translate an error of the connector or the network; return None for any other error.

    Args:
        error: The error to translate.
        what: The table, query or account, for the message.
    """
    from snowflake.connector import errors

    if isinstance(error, MMMError):
        return error
    if not isinstance(error, errors.Error):
        if isinstance(error, OSError | pa.ArrowException):
            return TransientError(f"{what}: the answer was cut off ({type(error).__name__})")
        return None
    number, text = int(error.errno or 0), _message(error)
    if _NO_IDENTITY.search(text):
        return TransientError(
            f"{what}: the metadata server gives no identity token; "
            f"SNOWFLAKE_AUTHENTICATOR=WORKLOAD_IDENTITY works only on Google Cloud: {text}"
        )
    if _FORBIDDEN.search(text):
        return DeniedError(
            f"{what}: the way to Snowflake is forbidden; check proxy, firewall and Private Service "
            f"Connect: {text}"
        )
    if number in _REFUSED or number - 390000 in range(100, 500):
        remedy = _REFUSED.get(number, text)
        return ServiceError(f"{what}: {remedy} [Snowflake {number}]")
    if number in _ENDED_EARLY:
        return TransientError(f"{what}: the query {_ENDED_EARLY[number]} [Snowflake {number}]")
    if number == _MISSING_TABLE:
        if "not authorized" in text or "does not exist" in text.lower():
            return ServiceError(
                f"{what} does not exist, or the role has no access to it; check `source`, "
                f"SNOWFLAKE_ROLE and GRANT SELECT: {text} [Snowflake {number}]"
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
    """Return the server's message on one line, without the leading error number and query id."""
    text = str(getattr(error, "raw_msg", None) or getattr(error, "msg", None) or error)
    text = re.sub(r"^\d+ \([^)]*\): (?:[0-9a-f-]{36}: )?", "", text)
    return " ".join(text.split())[:300]


def _kind(column: Any) -> Kind:
    if column.type_code == _FIXED:
        return Kind.DECIMAL if column.scale else Kind.INTEGER
    return _KINDS.get(column.type_code, Kind.OTHER)


def _positive_integer(env: Mapping[str, str], name: str) -> int | None:
    text = env.get(name)
    if not text:
        return None
    if not text.isdigit() or int(text) == 0:
        raise ServiceError(f"{name} is `{text}`; allowed: a whole number above 0")
    return int(text)
