"""Read and check the CSV of dated events that `annotations` names.

Each fault in the file becomes one sentence that names its line.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from contract.base import sha256_hex
from contract.columns import MODEL_NAMES, R_WORDS, safe_name
from contract.config import Config
from contract.exceptions import ConfigError, DataError, NotFoundError
from contract.hyperparameters import unknown_names
from contract.stores import open_store, split_uri
from contract.suggest import did_you_mean
from contract.training import ProphetVar
from job.sources.annotations import Annotations, DatedEvent

COLUMNS = ("date", "from", "to", "name", "market")
MAX_BYTES = 1024 * 1024
MAX_NAMES = 30
_MAX_PROBLEMS = 20  # faults in one message


@dataclass(frozen=True, kw_only=True)
class _Row:
    line: int
    cells: dict[str, str]


def read_annotations(config: Config, *, files: bool = True) -> Annotations | None:
    """Return the dated events of the config's market; None if the config has no `annotations`.

    Rows of other markets are not checked, so their faults do not stop this market's run.

    Args:
        config: The resolved config.
        files: Whether the path may be a local file. Paths in gs:// are always allowed.

    Raises:
        ConfigError: The path is a local file, but `files` is false.
        DataError: The file does not exist or has faults.
    """
    if config.annotations is None:
        return None
    path = config.annotations
    data = _read_bytes(path, files=files)
    file = f"`annotations` (`{path}`)"
    rows = list(_rows(data, file))
    if not rows:
        raise DataError(f"{file} has no events")
    own_markets = ("", config.market.casefold())
    own_rows = [row for row in rows if _market(row).casefold() in own_markets]
    others = {_market(row) for row in rows if _market(row).casefold() not in own_markets}
    problems: list[str] = []
    numbered = list(_numbered_events(own_rows, config, problems))
    problems += [*_overlaps(numbered), *_name_conflicts(numbered, config)]
    if problems:
        lines = [f"{file}, {problem}" for problem in problems[:_MAX_PROBLEMS]]
        if len(problems) > _MAX_PROBLEMS:
            lines.append(f"{file} has {len(problems) - _MAX_PROBLEMS} more faults")
        raise DataError("\n".join(lines))
    annotations = Annotations(
        path=path,
        sha256=sha256_hex(data),
        market=config.market,
        events=tuple(sorted(event for _, event in numbered)),
        other_markets=tuple(sorted(others)[:20]),
    )
    if len(annotations.names) > MAX_NAMES:
        raise DataError(
            f"{file} has {len(annotations.names)} event names for market {config.market}; "
            f"allowed: at most {MAX_NAMES}, because each name becomes a variable of the model"
        )
    _check_penalties(config, annotations)
    return annotations


def _check_penalties(config: Config, annotations: Annotations) -> None:
    """Refuse penalty factors of variables that neither config nor events have.

    Raises:
        ConfigError: one sentence per unknown name.
    """
    space = config.search_space()
    variables = [*space.variables, *annotations.names]
    whole = replace(space, variables=variables, events=False)
    faults = unknown_names(config.training.hyperparameters, whole)
    problems = [f"`training.hyperparameters.{f.at[0]}` {f.problem}" for f in faults]
    if problems:
        raise ConfigError(problems)


def _read_bytes(path: str, *, files: bool) -> bytes:
    try:
        if path.startswith("gs://"):
            bucket, name = split_uri(path)
            data = open_store(f"gs://{bucket}").read(name, limit=MAX_BYTES + 1).data
        elif not files:
            raise ConfigError(
                f"`annotations` is `{path}`; a config from a message may only name gs://BUCKET/PATH"
            )
        else:
            with Path(path).open("rb") as stream:
                data = stream.read(MAX_BYTES + 1)
    except (NotFoundError, FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise DataError(
            f"`annotations` is `{path}`, but this file does not exist.{_similar_names(path)}"
        ) from None
    except OSError as error:
        raise DataError(f"`annotations` (`{path}`) cannot be read: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise DataError(f"`annotations` (`{path}`) is too large; allowed: {MAX_BYTES} bytes")
    return data


def _similar_names(path: str) -> str:
    folder = Path(path).parent
    if path.startswith("gs://") or not folder.is_dir():
        return ""
    return did_you_mean(Path(path).name, [file.name for file in folder.glob("*.csv")])


def _rows(data: bytes, file: str) -> Iterator[_Row]:
    """Yield the rows that are not empty, with their cells by column."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"{file} is not UTF-8 text") from None
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [cell.strip().lower() for cell in next(reader, [])]
        _check_header(header, file)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                raise DataError(
                    f"{file}, line {reader.line_num}: the row has {len(cells)} cells, but the "
                    f"header has {len(header)}"
                )
            stripped = [cell.strip() for cell in cells]
            yield _Row(line=reader.line_num, cells=dict(zip(header, stripped, strict=True)))
    except csv.Error as error:
        raise DataError(f"{file}, line {reader.line_num}: {error}") from None


def _check_header(header: list[str], file: str) -> None:
    if not any(header):
        raise DataError(f"{file} is empty; it needs a header with `name` and `date`")
    for column in header:
        if column not in COLUMNS:
            raise DataError(
                f"{file} has a column `{_clip(column)}`; allowed: {', '.join(COLUMNS)}."
                f"{did_you_mean(column, COLUMNS)}"
            )
        if header.count(column) > 1:
            raise DataError(f"{file} has the column `{column}` twice")
    if "name" not in header:
        raise DataError(f"{file} has no column `name`")
    if ("from" in header) != ("to" in header):
        present, absent = ("from", "to") if "from" in header else ("to", "from")
        raise DataError(f"{file} has a column `{present}`, but no column `{absent}`")
    if "date" not in header and "from" not in header:
        raise DataError(f"{file} has no dates; it needs a column `date`, or `from` and `to`")


def _market(row: _Row) -> str:
    return row.cells.get("market", "")


def _numbered_events(
    rows: list[_Row], config: Config, problems: list[str]
) -> Iterator[tuple[int, DatedEvent]]:
    """Yield (line, event) for each valid row, and append the faults to `problems`."""
    for row in rows:
        name = row.cells["name"]
        if not name or len(name) > 63 or not name.isprintable():
            problems.append(
                f"line {row.line}: `name` is `{_clip(name)}`; allowed: 1 to 63 printable characters"
            )
            continue
        try:
            first, last = _first_and_last(row, config.date.format)
        except ValueError as error:
            problems.append(f"line {row.line}: {error}")
            continue
        yield row.line, DatedEvent(name=name, first=first, last=last)


def _first_and_last(row: _Row, date_format: str | None) -> tuple[date, date]:
    """Return the first and the last day of a row.

    Raises:
        ValueError: The row has no valid dates; the message names the fault.
    """
    day, first, last = (row.cells.get(column, "") for column in ("date", "from", "to"))
    if day and (first or last):
        raise ValueError("the row has `date` and also `from` or `to`; allowed: one of the two")
    if day:
        only = _day("date", day, date_format)
        return only, only
    if not first and not last:
        raise ValueError("the row has no date; allowed: `date`, or `from` and `to`")
    if not first or not last:
        raise ValueError(f"`{'to' if first else 'from'}` is empty; allowed: both, or `date` alone")
    begin, end = _day("from", first, date_format), _day("to", last, date_format)
    if begin > end:
        raise ValueError(f"`from` ({begin}) is after `to` ({end})")
    return begin, end


def _day(column: str, text: str, date_format: str | None) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        pass
    try:
        if date_format:
            return datetime.strptime(text, date_format).date()
    except ValueError:
        pass
    allowed = "YYYY-MM-DD" + (f" or `date.format` ({date_format})" if date_format else "")
    raise ValueError(f"`{column}` is `{_clip(text)}`; allowed: a valid date in the form {allowed}")


def _overlaps(numbered: list[tuple[int, DatedEvent]]) -> Iterator[str]:
    """Report events of the same name that overlap; events of different names may overlap."""
    latest: dict[str, tuple[int, DatedEvent]] = {}
    for line, event in sorted(numbered, key=lambda pair: (pair[1], pair[0])):
        other = latest.get(event.name)
        if other and event.first <= other[1].last:
            yield (
                f"line {line}: `{event.name}` {event.days()} overlaps with line {other[0]} "
                f"({other[1].days()}); merge the two rows or give them different names"
            )
        if not other or event.last > other[1].last:
            latest[event.name] = (line, event)


def _name_conflicts(numbered: list[tuple[int, DatedEvent]], config: Config) -> Iterator[str]:
    """Report names that are taken, or that would become the same column."""
    taken = {_key(name): f"a reserved name of the model (`{name}`)" for name in sorted(MODEL_NAMES)}
    taken |= {_key(word): f"a word of the R language (`{word}`)" for word in R_WORDS}
    taken |= {_key(v.value): f"prophet's component `{v.value}`" for v in ProphetVar}
    taken |= {_key(c.name): f"the channel `{c.name}`" for c in config.channels}
    for columns in config.columns_by_role().values():
        taken |= {_key(column): f"the column `{column}` of the config" for column in columns}
    seen: dict[str, tuple[int, str]] = {}
    for line, event in numbered:
        key = _key(event.name)
        earlier_line, earlier_name = seen.setdefault(key, (line, event.name))
        if earlier_name != event.name:
            yield (
                f"line {line}: `{event.name}` and `{earlier_name}` (line {earlier_line}) differ "
                "only in case or punctuation; use one spelling"
            )
        elif key in taken and earlier_line == line:
            yield f"line {line}: `{event.name}` is already {taken[key]}; use another name"


def _key(name: str) -> str:
    return safe_name(name).casefold()


def _clip(text: str) -> str:
    return text if len(text) <= 77 else f"{text[:76]}…"
