"""A CSV of dated events, checked: one sentence per fault, each with its line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from contract.base import sha256_hex
from contract.config import Config, safe_name
from contract.exceptions import ConfigError, DataError, NotFoundError
from contract.stores import open_store, split_uri
from contract.suggest import did_you_mean
from contract.training import ProphetVar
from job.sources.events import Annotations, Event

COLUMNS = ("date", "from", "to", "name", "market")
MAX_BYTES = 1024 * 1024
MAX_NAMES = 30
_SHOWN = 20  # faults that are told at once
_RESERVED = ("ds", "y", "dep_var", "intercept", "solID", "train_size", "lambda", "depVarHat")


@dataclass(frozen=True, kw_only=True)
class _Row:
    line: int
    cells: dict[str, str]


def read_annotations(config: Config, *, files: bool = True) -> Annotations | None:
    """The events of the config's market; None where the config has no `annotations`.

    Rows of other markets are not looked at: their faults stop their own runs only.

    Args:
        config: The resolved config.
        files: Whether a local file may be read, and not only gs://.

    Raises:
        ConfigError: a local file where none may be read.
        DataError: no such file, or what is wrong with it.
    """
    if config.annotations is None:
        return None
    path = config.annotations
    data = _fetch(path, files=files)
    what = f"`annotations` (`{path}`)"
    rows = list(_rows(data, what))
    if not rows:
        raise DataError(f"{what} has no events")
    own = ("", config.market.casefold())
    mine = [row for row in rows if _market(row).casefold() in own]
    others = {_market(row) for row in rows if _market(row).casefold() not in own}
    problems: list[str] = []
    found = list(_events(mine, config, problems))
    problems += [*_overlaps(found), *_names(found, config)]
    if problems:
        told = [f"{what}, {problem}" for problem in problems[:_SHOWN]]
        if len(problems) > _SHOWN:
            told.append(f"{what} has {len(problems) - _SHOWN} more faults")
        raise DataError("\n".join(told))
    annotations = Annotations(
        path=path,
        sha256=sha256_hex(data),
        market=config.market,
        events=tuple(sorted(event for _, event in found)),
        other_markets=tuple(sorted(others)[:20]),
    )
    if len(annotations.names) > MAX_NAMES:
        raise DataError(
            f"{what} has {len(annotations.names)} names of events for market {config.market}; "
            f"allowed: at most {MAX_NAMES}, for each is a variable of the model"
        )
    return annotations


def _fetch(path: str, *, files: bool) -> bytes:
    try:
        if path.startswith("gs://"):
            bucket, name = split_uri(path)
            data = open_store(f"gs://{bucket}").read(name, limit=MAX_BYTES + 1).data
        elif not files:
            raise ConfigError(
                f"`annotations` is `{path}`; allowed in a config that came as a message: "
                "gs://BUCKET/PATH"
            )
        else:
            with Path(path).open("rb") as stream:
                data = stream.read(MAX_BYTES + 1)
    except (NotFoundError, FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise DataError(
            f"`annotations` is `{path}`, but there is no such file.{_near(path)}"
        ) from None
    except OSError as error:
        raise DataError(f"`annotations` (`{path}`) cannot be read: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise DataError(f"`annotations` (`{path}`) is too large; allowed: {MAX_BYTES} bytes")
    return data


def _near(path: str) -> str:
    folder = Path(path).parent
    if path.startswith("gs://") or not folder.is_dir():
        return ""
    return did_you_mean(Path(path).name, [file.name for file in folder.glob("*.csv")])


def _rows(data: bytes, what: str) -> Iterator[_Row]:
    """Rows that are not empty, cells by column."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"{what} is not UTF-8 text") from None
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [cell.strip().lower() for cell in next(reader, [])]
        _check_header(header, what)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                raise DataError(
                    f"{what}, line {reader.line_num}: {len(cells)} cells where the header has "
                    f"{len(header)}"
                )
            stripped = [cell.strip() for cell in cells]
            yield _Row(line=reader.line_num, cells=dict(zip(header, stripped, strict=True)))
    except csv.Error as error:
        raise DataError(f"{what}, line {reader.line_num}: {error}") from None


def _check_header(header: list[str], what: str) -> None:
    if not any(header):
        raise DataError(f"{what} is empty; it needs a header with `name` and `date`")
    for column in header:
        if column not in COLUMNS:
            raise DataError(
                f"{what} has a column `{_clip(column)}`; allowed: {', '.join(COLUMNS)}."
                f"{did_you_mean(column, COLUMNS)}"
            )
        if header.count(column) > 1:
            raise DataError(f"{what} has the column `{column}` twice")
    if "name" not in header:
        raise DataError(f"{what} has no column `name`")
    if ("from" in header) != ("to" in header):
        there, lacking = ("from", "to") if "from" in header else ("to", "from")
        raise DataError(f"{what} has a column `{there}` but none `{lacking}`")
    if "date" not in header and "from" not in header:
        raise DataError(f"{what} has no dates; it needs a column `date`, or `from` and `to`")


def _market(row: _Row) -> str:
    return row.cells.get("market", "")


def _events(rows: list[_Row], config: Config, problems: list[str]) -> Iterator[tuple[int, Event]]:
    """Events with their lines; faults go to `problems`."""
    for row in rows:
        name = row.cells["name"]
        if not name or len(name) > 63 or not name.isprintable():
            problems.append(
                f"line {row.line}: `name` is `{_clip(name)}`; allowed: 1 to 63 characters"
            )
            continue
        try:
            first, last = _span(row, config.date.format)
        except ValueError as error:
            problems.append(f"line {row.line}: {error}")
            continue
        yield row.line, Event(name=name, first=first, last=last)


def _span(row: _Row, written: str | None) -> tuple[date, date]:
    """First and last day of a row.

    Raises:
        ValueError: what is wrong with them.
    """
    day, first, last = (row.cells.get(column, "") for column in ("date", "from", "to"))
    if day and (first or last):
        raise ValueError("`date` and `from` or `to` are given; allowed: one of the two")
    if day:
        only = _day("date", day, written)
        return only, only
    if not first and not last:
        raise ValueError("there is no date; allowed: `date`, or `from` and `to`")
    if not first or not last:
        raise ValueError(f"`{'to' if first else 'from'}` is empty; allowed: both, or `date` alone")
    begin, end = _day("from", first, written), _day("to", last, written)
    if begin > end:
        raise ValueError(f"`from` is {begin}, after `to` ({end})")
    return begin, end


def _day(column: str, text: str, written: str | None) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        pass
    try:
        if written:
            return datetime.strptime(text, written).date()
    except ValueError:
        pass
    allowed = "YYYY-MM-DD" + (f", or as `date.format` ({written})" if written else "")
    raise ValueError(
        f"`{column}` is `{_clip(text)}`; allowed: a day of the calendar written {allowed}"
    )


def _overlaps(found: list[tuple[int, Event]]) -> Iterator[str]:
    """An event may not happen twice at once; different names may overlap."""
    before: dict[str, tuple[int, Event]] = {}
    for line, event in sorted(found, key=lambda one: (one[1], one[0])):
        other = before.get(event.name)
        if other and event.first <= other[1].last:
            yield (
                f"line {line}: `{event.name}` {event.days()} overlaps with line {other[0]} "
                f"({other[1].days()}); make one event of them or give them two names"
            )
        if not other or event.last > other[1].last:
            before[event.name] = (line, event)


def _names(found: list[tuple[int, Event]], config: Config) -> Iterator[str]:
    """Names that are taken, or that the model could not tell apart."""
    taken = {_key(name): f"a name of the model's own (`{name}`)" for name in _RESERVED}
    taken |= {_key(v.value): f"prophet's component `{v.value}`" for v in ProphetVar}
    taken |= {_key(c.name): f"the channel `{c.name}`" for c in config.channels}
    for columns in config.columns_by_role().values():
        taken |= {_key(column): f"the column `{column}` of the config" for column in columns}
    seen: dict[str, tuple[int, str]] = {}
    for line, event in found:
        key = _key(event.name)
        line_before, name_before = seen.setdefault(key, (line, event.name))
        if name_before != event.name:
            yield (
                f"line {line}: `{event.name}` cannot be told from `{name_before}` (line "
                f"{line_before}) by its letters and digits; write both the same"
            )
        elif key in taken and line_before == line:
            yield f"line {line}: `{event.name}` is {taken[key]} already; give it another name"


def _key(name: str) -> str:
    return safe_name(name).casefold()


def _clip(text: str) -> str:
    return text if len(text) <= 77 else f"{text[:76]}…"
