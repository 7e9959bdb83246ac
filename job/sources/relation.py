"""Parse `source.table` and `source.query` into a syntax tree that can only read."""

from __future__ import annotations

import logging
import re
from collections import Counter

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from contract.exceptions import ConfigError
from contract.source import BigQuerySource, DuckDBSource, SnowflakeSource

logging.getLogger("sqlglot").setLevel(logging.ERROR)  # this module reports what it cannot parse
_NAME_PART = re.compile(r'"([^"]+)"|([^."]+)')
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
_ROW_SOURCES = (exp.Identifier, exp.Explode, exp.GenerateSeries, exp.Generator, exp.SplitToTable)
_NAMESPACES = ("HLL_COUNT", "KLL_QUANTILES", "NET", "SAFE")
# functions that run SQL from text, access files, other systems or models, or change something
_FORBIDDEN_FUNCTIONS = re.compile(
    r"system\$.*|.*to_query|query|query_table|external_query|result_scan|ai_.*|nextval|setval|"
    r"write_log|getenv|current_setting|.*_presigned_url|build_.*_url|(read|scan|parse)_.*(csv|json|"
    r"parquet|text|blob|file).*|.*_scan|.*_query|.*_execute|glob",
    re.IGNORECASE,
)


def table(name: str, dialect: str) -> exp.Table:
    """Parse a table's name, e.g. `DB.SCHEMA.TABLE`, and quote each part.

    Snowflake's unquoted names become upper case.

    Raises:
        ConfigError: The text is not one to three names joined by dots.
    """
    parts: list[str] = []
    position = 0
    while position < len(name):
        found = _NAME_PART.match(name, position)
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
    """Parse a query and refuse everything except exactly one SELECT that only reads.

    The warehouse receives SQL generated from this tree, never the text itself.

    Raises:
        ConfigError: The text does not parse, has several statements, or does more than select.
    """
    try:
        statements = [tree for tree in sqlglot.parse(text, dialect=dialect) if tree is not None]
    except (SqlglotError, RecursionError) as error:
        detail = str(error).splitlines()[0] if str(error) else "nested too deeply"
        detail = _without_colours(detail)
        raise ConfigError(f"`source.query` is not valid {dialect} SQL: {detail}") from None
    if len(statements) != 1:
        raise ConfigError(
            f"`source.query` has {len(statements)} statements; allowed: exactly one SELECT"
        )
    (tree,) = statements
    if not isinstance(tree, exp.Query):
        raise ConfigError(f"`source.query` is {_statement(tree)}; allowed: exactly one SELECT")
    names = Counter(name.lower() for name in tree.named_selects if name and name != "*")
    repeated = [f"`{name}`" for name, number in names.items() if number > 1]
    if repeated:
        raise ConfigError(
            f"`source.query` selects two columns named {', '.join(repeated)}; rename one with AS"
        )
    for node in tree.walk():
        node.pop_comments()
        if problem := _problem(node):
            raise ConfigError(f"`source.query` {problem}")
    return tree


def _problem(node: exp.Expr) -> str | None:
    """Return what a part of a query does besides reading tables and computing, or None."""
    if isinstance(node, _FORBIDDEN):
        return f"contains {_statement(node)}; allowed: one SELECT that only reads"
    if isinstance(node, exp.Table | exp.TableFromRows | exp.Lateral):
        rows = node.this
        if not isinstance(rows, (*_ROW_SOURCES, exp.Query, exp.Unnest, exp.Subquery, exp.Values)):
            return f"reads from {_excerpt(rows)}; allowed: tables, views, subqueries"
        if isinstance(rows, exp.Identifier) and re.search(r"[/\\@]", rows.name):
            return f"reads from {_excerpt(rows)}; allowed: names of tables and views"
    if isinstance(node, exp.Anonymous) and _FORBIDDEN_FUNCTIONS.fullmatch(node.name):
        return f"calls {node.name}; allowed: functions that only compute"
    if (
        isinstance(node, exp.Dot)
        and isinstance(node.expression, exp.Anonymous)
        and node.this.name.upper() not in _NAMESPACES
    ):
        return (
            f"calls {_excerpt(node)}; allowed: the warehouse's built-in functions (put other "
            "functions into a view)"
        )
    if isinstance(node, exp.Parameter | exp.SessionParameter | exp.Placeholder):
        return f"contains {_excerpt(node)}; stages, parameters and placeholders are not allowed"
    if isinstance(node, exp.Column) and node.name.upper() == "NEXTVAL" and node.table:
        return f"advances a sequence with {_excerpt(node)}; allowed: one SELECT that only reads"
    return None


def source_relation(
    source: DuckDBSource | SnowflakeSource | BigQuerySource, dialect: str
) -> exp.Expr:
    """Return the FROM expression of a source's `table` or `query`."""
    if source.table is not None:
        return table(source.table, dialect)
    return exp.Subquery(
        this=query(source.query or "", dialect),
        alias=exp.TableAlias(this=exp.to_identifier("the_query")),
    )


def _statement(node: exp.Expr) -> str:
    """Return a statement's kind with its article, e.g. "an INSERT"."""
    name = type(node).__name__.upper()
    if isinstance(node, exp.Command):
        name = str(node.this).upper()
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"


def _excerpt(node: exp.Expr) -> str:
    return f"`{node.sql()[:80]}`"


def _without_colours(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)[:300]
