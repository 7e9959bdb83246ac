"""What is read: a table's name or a query, as a syntax tree that cannot be anything else."""

from __future__ import annotations

import logging
import re

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from contract.exceptions import ConfigError
from contract.source import BigQuerySource, DuckDBSource, SnowflakeSource

logging.getLogger("sqlglot").setLevel(logging.ERROR)  # what it cannot parse is refused here
_PART = re.compile(r'"([^"]+)"|([^."]+)')
_FORBIDDEN = (
    exp.Insert,
    exp.Update,
    exp.Delete,
    exp.Merge,
    exp.Create,
    exp.Drop,
    exp.Alter,
    exp.Command,
    exp.Into,
    exp.Lock,
    exp.Set,
    exp.Use,
    exp.Copy,
)
_ROWS = (exp.Identifier, exp.Explode, exp.GenerateSeries, exp.Generator, exp.SplitToTable)
_NAMESPACES = ("HLL_COUNT", "KLL_QUANTILES", "NET", "SAFE")
# functions that run a text, reach files, other systems or models, or change something
_FUNCTIONS = re.compile(
    r"system\$.*|.*to_query|query|query_table|external_query|result_scan|ai_.*|nextval|setval|"
    r"write_log|getenv|current_setting|.*_presigned_url|build_.*_url|(read|scan|parse)_.*(csv|json|"
    r"parquet|text|blob|file).*|.*_scan|.*_query|.*_execute|glob",
    re.IGNORECASE,
)


def table(name: str, dialect: str) -> exp.Table:
    """`DB.SCHEMA.TABLE` with every part quoted; Snowflake's unquoted names are upper case.

    Raises:
        ConfigError: it is not one to three names joined by dots.
    """
    parts: list[str] = []
    position = 0
    while position < len(name):
        found = _PART.match(name, position)
        if found is None:
            break
        quoted, plain = found.groups()
        parts.append(quoted or (plain.upper() if dialect == "snowflake" else plain))
        position = found.end()
        if position < len(name):
            if name[position] != "." or position + 1 == len(name):
                break
            position += 1
    if position != len(name) or not 1 <= len(parts) <= 3:
        raise ConfigError(
            f"`source.table` is `{name}`; allowed: NAME, SCHEMA.NAME or DATABASE.SCHEMA.NAME"
        )
    identifiers = [exp.to_identifier(part, quoted=True) for part in parts]
    padded = [None] * (3 - len(identifiers)) + identifiers
    return exp.Table(this=padded[2], db=padded[1], catalog=padded[0])


def query(text: str, dialect: str) -> exp.Query:
    """A query as a tree; everything that is not exactly one SELECT is refused.

    What is sent to the warehouse is written anew from the tree, never the text itself.

    Raises:
        ConfigError: it does not parse, is several statements, or does more than select.
    """
    try:
        statements = [tree for tree in sqlglot.parse(text, dialect=dialect) if tree is not None]
    except (SqlglotError, RecursionError) as error:
        detail = str(error).splitlines()[0] if str(error) else "nested too deeply"
        raise ConfigError(f"`source.query` is not valid {dialect} SQL: {_plain(detail)}") from None
    if len(statements) != 1:
        raise ConfigError(
            f"`source.query` holds {len(statements)} statements; allowed: exactly one SELECT"
        )
    (tree,) = statements
    if not isinstance(tree, exp.Query):
        raise ConfigError(f"`source.query` is {_article(tree)}; allowed: exactly one SELECT")
    for node in tree.walk():
        node.pop_comments()
        if problem := _problem(node):
            raise ConfigError(f"`source.query` {problem}")
    return tree


def _problem(node: exp.Expr) -> str | None:
    """What a part of a query does besides reading tables and computing."""
    if isinstance(node, _FORBIDDEN):
        return f"contains {_article(node)}; allowed: one SELECT that only reads"
    if isinstance(node, exp.Table | exp.TableFromRows | exp.Lateral):
        rows = node.this
        if not isinstance(rows, (*_ROWS, exp.Query, exp.Unnest, exp.Subquery, exp.Values)):
            return f"reads from {_shown(rows)}; allowed: tables, views, subqueries"
        if isinstance(rows, exp.Identifier) and re.search(r"[/\\@]", rows.name):
            return f"reads from {_shown(rows)}; allowed: names of tables and views"
    if isinstance(node, exp.Anonymous) and _FUNCTIONS.fullmatch(node.name):
        return f"calls {node.name}; allowed: functions that only compute"
    if (
        isinstance(node, exp.Dot)
        and isinstance(node.expression, exp.Anonymous)
        and node.this.name.upper() not in _NAMESPACES
    ):
        return (
            f"calls {_shown(node)}; allowed: the warehouse's own functions, and views that "
            "use others"
        )
    if isinstance(node, exp.Parameter | exp.SessionParameter | exp.Placeholder):
        return f"contains {_shown(node)}; allowed: no stages, parameters or placeholders"
    if isinstance(node, exp.Column) and node.name.upper() == "NEXTVAL" and node.table:
        return f"draws from a sequence with {_shown(node)}; allowed: one SELECT that only reads"
    return None


def of(source: DuckDBSource | SnowflakeSource | BigQuerySource, dialect: str) -> exp.Expr:
    """What stands after FROM for a source's `table` or `query`."""
    if source.table is not None:
        return table(source.table, dialect)
    return exp.Subquery(
        this=query(source.query or "", dialect),
        alias=exp.TableAlias(this=exp.to_identifier("the_query")),
    )


def _article(node: exp.Expr) -> str:
    name = type(node).__name__.upper()
    if isinstance(node, exp.Command):
        name = str(node.this).upper()
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"


def _shown(node: exp.Expr) -> str:
    return f"`{node.sql()[:80]}`"


def _plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)[:300]
