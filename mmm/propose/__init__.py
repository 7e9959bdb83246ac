"""`mmm init`: a proposal of a config from a table, query or file, for a person to review."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import BaseModel, ValidationError
from sqlglot import exp

from contract.exceptions import ConfigError, DataError
from contract.loading import explain
from contract.source import FileSource, Source
from contract.suggest import did_you_mean
from job.sources.extract import open_source
from mmm.propose.look import look
from mmm.propose.proposal import write
from mmm.propose.rules import Given, guess
from mmm.propose.tidy import long_table, pivot

__all__ = ["Given", "init_config"]


def init_config(
    source: dict[str, Any],
    *,
    market: str,
    revision: str = "r1",
    given: Given | None = None,
    env: dict[str, str] | None = None,
) -> str:
    """A commented YAML config for a source given as in a config.

    Raises:
        ConfigError: the source is refused.
        DataError: there is no date column, no target or no channel to be found.
    """
    given = given or Given()
    checked = _checked(source)
    with (
        TemporaryDirectory() as folder,
        closing(open_source(checked, run_id="init", env=env, folder=Path(folder))) as warehouse,
    ):
        seen, frame = look(warehouse)
        description, relation, dialect = (
            warehouse.description,
            warehouse.relation,
            warehouse.dialect,
        )
    there = [column.name for column in seen]
    for name in (given.date, given.target, *given.spends):
        if name is not None and name not in there:
            raise DataError(f"{description} has no column `{name}`.{did_you_mean(name, there)}")
    found = None if given.spends else long_table(seen, frame)
    if found is not None:
        is_file = isinstance(checked, FileSource)
        relation = _reader(checked.path) if isinstance(checked, FileSource) else relation
        sql = pivot(seen, frame, found, relation).sql(dialect=dialect, pretty=True)
        raise DataError(
            f"{description} is long: a row per date and `{found[0].name}`, where a model needs a "
            "column per channel. "
            + (
                "Make a wide file of it, e.g. with DuckDB: COPY (…) TO 'wide.parquet', and run "
                "`mmm init wide.parquet`, with this query:"
                if is_file
                else "Run `mmm init` with --query and this query:"
            )
            + f"\n\n{sql}\n\nA target that is repeated for every channel must be taken once a "
            "date: max() instead of sum()."
        )
    return write(
        guess(seen, given), seen, frame, source, market=market, revision=revision, of=description
    )


class _Document(BaseModel):
    """The part of a config that a proposal starts from."""

    source: Source


def _checked(source: dict[str, Any]) -> Source:
    document = {"source": source}
    try:
        return _Document.model_validate(document).source
    except ValidationError as error:
        raise ConfigError(explain(error, _Document, document)) from None


def _reader(path: str) -> exp.Expr:
    return exp.Table(this=exp.to_identifier(path, quoted=True))
