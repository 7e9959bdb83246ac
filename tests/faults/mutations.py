"""Faults put into healthy tables at random: the product names each, or models the right numbers.

`make mutations N=100 SEED=1` runs a campaign. Each mutation says which words name it, so that an
unrelated finding does not count.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from contract.config import Config, safe_name
from contract.exceptions import MMMError
from contract.loading import load_config
from job.gate import check
from job.sources import extract
from mmm.propose import init_config

Random = np.random.Generator
CHANNELS = {
    "tv": "tv_spend",
    "search": "search_cost",
    "radio": "Radio Kosten",
    "meta": "facebook_spend",
}


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table as people store it, and what is true.

    Attributes:
        frame: the table as it is written; the date column is the first.
        truth: dates, target and spends that the model must have.
        pairs: the exposure of each spend.
        words: what a message that names the fault matches; None if the table has no fault.
        writing: arguments for `DataFrame.to_csv`; such a table is always a CSV file.
        settings: what is set in the proposed config.
    """

    frame: pd.DataFrame
    truth: pd.DataFrame
    pairs: dict[str, str]
    words: str | None = None
    writing: dict[str, Any] | None = None
    settings: dict[str, Any] = field(default_factory=dict)


def healthy(random: Random) -> Table:
    """Return a daily, weekly or monthly table with two to four channels."""
    step, periods = {0: ("D", 400), 1: ("7D", 110), 2: ("MS", 60)}[int(random.integers(3))]
    names = list(CHANNELS.values())[: int(random.integers(2, 5))]
    frame = pd.DataFrame({"date": pd.date_range("2021-02-01", periods=periods, freq=step)})
    frame["date"] = frame["date"].dt.date
    effect = np.zeros(periods)
    for name in names:
        frame[name] = random.gamma(3, 400, periods).round(2)
        effect += frame[name] * random.uniform(0.5, 2)
    frame["search_clicks"] = (frame["search_cost"] * random.lognormal(1, 0.2, periods)).round()
    frame["revenue"] = (20_000 + effect + random.normal(0, 900, periods)).round(2)
    truth = frame[["date", "revenue", *names]]
    return Table(frame=frame, truth=truth, pairs={"search_cost": "search_clicks"})


def _spend(table: Table, random: Random) -> str:
    return str(random.choice([name for name in table.truth if name not in ("date", "revenue")]))


def _texts(table: Table, column: str, write: Callable[[float], str]) -> Table:
    texts = [write(value) for value in table.frame[column]]
    return replace(table, frame=table.frame.assign(**{column: texts}), words=re.escape(column))


def _cell(table: Table, column: str, text: object, random: Random, words: str) -> Table:
    values = table.frame[column].astype(object).tolist()
    values[int(random.integers(5, len(values) - 5))] = text
    return replace(table, frame=table.frame.assign(**{column: values}), words=words)


def _long(table: Table, random: Random) -> Table:
    name = str(random.choice(["channel", "bucket", "ads_type", "partner", "Quelle"]))
    value = str(random.choice(["spend", "Kosten", "media_cost"]))
    spends = [c for c in table.truth if c not in ("date", "revenue")]
    if random.random() < 0.5:
        parts = [
            table.frame.assign(region=region, revenue=(table.frame["revenue"] * share).round(2))
            for region, share in (("North", 0.3), ("South", 0.7))
        ]
        frame = pd.concat(parts).melt(["date", "region", "revenue"], spends, name, value)
    else:
        frame = table.frame.melt(["date", "revenue"], spends, name, value)
    frame = frame.sort_values(["date"])
    return replace(table, frame=frame, words="long format")


def _pairs(table: Table, random: Random) -> Table:
    frame = table.frame.melt("date", var_name="what", value_name="v").sort_values("date")
    return replace(table, frame=frame, words="long format")


def _rate(table: Table, random: Random) -> Table:
    spend = _spend(table, random)
    medium = re.split("[_ ]", spend)[0]
    word = random.choice(["ctr", "frequency", "avg_position", "share", "engagements", "cpm"])
    column = f"{medium}_{word}"
    values = random.uniform(0, float(random.choice([0.1, 5, 40])), len(table.frame)).round(3)
    return replace(table, frame=table.frame.assign(**{column: values}))


def _rate_for_spend(table: Table, random: Random) -> Table:
    spend = _spend(table, random)
    values = random.uniform(1, 5, len(table.frame)).round(2) / random.choice([1, 100])
    frame = table.frame.assign(**{spend: values})
    return replace(table, frame=frame, truth=table.truth.iloc[:0], words=re.escape(spend))


def _number(table: Table, random: Random) -> Table:
    column = str(random.choice([_spend(table, random), "revenue"]))
    swap = str.maketrans(",.", ".,")
    write = random.choice(
        [
            lambda v: f"${v:,.2f}",
            lambda v: f"{v:,.2f} €".translate(swap),
            lambda v: f"{v:,.2f}",
            lambda v: f"{v:.2f}".replace(".", ","),
            lambda v: f"{v:,.2f}".replace(",", "\u00a0"),
            lambda v: f"{v:,.2f}".replace(",", " ").replace(".", ","),
            lambda v: f"{v:,.2f}".replace(",", "'"),
            lambda v: f"EUR {v:.2f}",
            lambda v: f" {v:.2f} ",
        ]
    )
    return _texts(table, column, write)


def _token(table: Table, random: Random) -> Table:
    column = str(random.choice([_spend(table, random), "revenue"]))
    tokens = ["#N/A", "-", "n/a", "(200.00)", "pending", "", "-5", "NULL", "1.234,50", "?"]
    return _cell(table, column, str(random.choice(tokens)), random, re.escape(column))


def _moments(table: Table, random: Random) -> Table:
    zone = str(random.choice(["Europe/Berlin", "Europe/London", "Asia/Tokyo", "America/New_York"]))
    moments = pd.to_datetime(table.frame["date"]).dt.tz_localize(zone).dt.tz_convert("UTC")
    pattern = str(
        random.choice(["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S+00:00", "%Y-%m-%d %H:%M"])
    )
    return replace(table, frame=table.frame.assign(date=moments.dt.strftime(pattern)), words="UTC")


def _exposure(table: Table, random: Random) -> Table:
    names = ["clicks_paid_search", "Search Ads Clicks", "search_campaign_clicks", "klicks_search"]
    name = str(random.choice(names))
    frame = table.frame.rename(columns={"search_clicks": name})
    return replace(table, frame=frame, pairs={"search_cost": name}, words=re.escape(name))


def _constant(table: Table, random: Random) -> Table:
    spend, level = _spend(table, random), float(random.choice([0, 500]))
    frame = table.frame.assign(**{spend: level})
    return replace(table, frame=frame, truth=table.truth.iloc[:0], words=re.escape(spend))


def _header(table: Table, random: Random) -> Table:
    names = list(table.frame)
    names[2] = names[1]
    return replace(table, frame=table.frame.set_axis(names, axis=1), words=re.escape(names[1]))


def _far_date(table: Table, random: Random) -> Table:
    days = ["9999-12-31", "0001-01-01", "0003-01-22", "1900-01-01", "2222-02-02"]
    return _cell(table, "date", str(random.choice(days)), random, "date|typing error")


def _date(table: Table, random: Random) -> Table:
    patterns = ["%d.%m.%Y", "%d-%m-%y", "%d-%b-%Y", "%B %d, %Y", "%d/%m/%Y %H:%M", "%Y%m%d"]
    pattern = str(random.choice([*patterns, "%y%m%d", "%d %b %y", "%m/%d/%Y"]))
    days = [day.strftime(pattern) for day in table.frame["date"]]
    return replace(table, frame=table.frame.assign(date=days), words="date")


def _swapped(table: Table, random: Random) -> Table:
    days = [f"{d:%Y-%d-%m}" if d.day <= 12 else f"{d:%d/%m/%Y}" for d in table.frame["date"]]
    if all(day[4] == "-" for day in days):
        return _date(table, random)
    return replace(table, frame=table.frame.assign(date=days), words="swapped|date")


def _last_rows(table: Table, random: Random) -> Table:
    last = table.frame.iloc[[-1]].astype(object)
    if random.random() < 0.5:
        frame = pd.concat([table.frame, last.assign(**dict.fromkeys(last))])
    else:
        sums = table.frame.drop(columns="date").sum()
        frame = pd.concat([table.frame, last.assign(date="Total", **sums)])
    return replace(table, frame=frame, words="Total|total|date")


def _encoding(table: Table, random: Random) -> Table:
    frame = table.frame.rename(columns={"revenue": "Umsätze"})
    truth = table.truth.rename(columns={"revenue": "Umsätze"})
    how = {"encoding": str(random.choice(["utf-16", "cp1252", "utf-8-sig"]))}
    separator = str(random.choice([",", ";", "\t"]))
    return replace(table, frame=frame, truth=truth, words="UTF", writing=how | {"sep": separator})


def _join(table: Table, random: Random) -> Table:
    """Split each row's spends over campaigns, and repeat all other figures."""
    spends = [str(c) for c in table.truth if c not in ("date", "revenue")]
    number = int(random.integers(2, 5))
    shares = random.dirichlet(np.ones(number), len(table.frame))
    parts = []
    for i in range(number):
        part = table.frame.copy()
        part[spends] = part[spends].mul(shares[:, i], axis=0).round(4)
        names = [
            f"{random.choice(['A', 'B'])}{int(random.integers(900))}" for _ in range(len(part))
        ]
        parts.append(part.assign(campaign=names) if random.random() < 0.5 else part)
    return replace(
        table, frame=pd.concat(parts).sort_values("date"), words="revenue.*(copies|MAX)|long"
    )


def _longer_period(table: Table, random: Random) -> Table:
    """Repeat the target of a month in each of its days or weeks."""
    days = pd.to_datetime(table.frame["date"])
    if len(days) < 100:  # monthly rows
        return _row_twice(table, random)
    revenue = table.frame.groupby(days.dt.to_period("M"))["revenue"].transform("sum").round(2)
    return replace(table, frame=table.frame.assign(revenue=revenue), words="revenue.*month")


def _running_total(table: Table, random: Random) -> Table:
    """Write a spend or the target as its sum since the first day, or since the start of the year."""
    column = str(random.choice([_spend(table, random), "revenue"]))
    sums = table.frame[column].cumsum()
    if random.random() < 0.5 and len(sums) > 100:
        years = pd.to_datetime(table.frame["date"]).dt.year
        sums = table.frame.groupby(years)[column].cumsum()
    frame = table.frame.assign(**{column: sums.round(2)})
    return replace(table, frame=frame, words=f"{re.escape(column)}.*running total")


def _lift_test(table: Table, random: Random) -> Table:
    """Add a lift test whose spend or dates are not those of the data, or a right one."""
    days = list(table.frame["date"])
    start, end = days[20], days[24] - timedelta(days=1)
    spent = float(table.truth["tv_spend"].iloc[20:24].sum())
    how = str(random.choice(["right", "another spend", "other years", "within a period"]))
    if how == "another spend":
        spent *= float(random.choice([0.01, 0.2, 3, 1000]))
    if how == "other years":
        start, end = (day.replace(year=day.year - 4) for day in (start, end))
    if how == "within a period":  # of a weekly or monthly table; two of a daily one
        end = start + timedelta(days=1)
    test = {"channel": "tv", "start": start, "end": end, "lift": 900.0, "spend": spent}
    right = table.truth if how == "right" else table.truth.iloc[:0]
    return replace(table, truth=right, words="calibration", settings={"calibration": [test]})


def _constant_influence(table: Table, random: Random) -> Table:
    """Add a context, organic or factor column that only varies before the window."""
    name = str(random.choice(["newsletter", "price", "promo_event", "temperature"]))
    values = np.where(np.arange(len(table.frame)) < 10, random.uniform(1, 9, len(table.frame)), 5.0)
    start = table.frame["date"].iloc[12]
    frame = table.frame.assign(**{name: values.round(2)})
    return replace(
        table, frame=frame, truth=table.truth.iloc[:0], words=name, settings={"start": start}
    )


def _row_twice(table: Table, random: Random) -> Table:
    row = table.frame.iloc[[int(random.integers(5, len(table.frame) - 5))]]
    return replace(table, frame=pd.concat([table.frame, row]), words="identical")


MUTATIONS: dict[str, tuple[int, Callable[[Table, Random], Table]]] = {
    "a repeated target": (1, _long),
    "pairs": (1, _pairs),
    "a rate beside a spend": (2, _rate),
    "a rate as a spend": (2, _rate_for_spend),
    "numbers in another form": (3, _number),
    "an odd cell": (3, _token),
    "midnight elsewhere": (4, _moments),
    "an exposure with filler words": (5, _exposure),
    "a constant": (7, _constant),
    "a header twice": (8, _header),
    "a date out of range": (9, _far_date),
    "dates in another form": (10, _date),
    "dates swapped by Excel": (10, _swapped),
    "blank or total rows": (11, _last_rows),
    "another encoding": (11, _encoding),
    "a row twice": (12, _row_twice),
    "a join": (1, _join),
    "a figure of a longer period": (1, _longer_period),
    "a running total": (3, _running_total),
    "a lift test": (6, _lift_test),
    "a constant in the window": (7, _constant_influence),
}


def _write(table: Table, folder: Path, random: Random) -> dict[str, Any]:
    """Store the table as a file or in a database; return the source."""
    kind = str(random.choice(["csv", "csv", "parquet", "xlsx", "duckdb"]))
    unique = len(set(table.frame)) == len(table.frame.columns)
    if kind == "csv" or table.writing or not unique:
        table.frame.to_csv(folder / "t.csv", index=False, **(table.writing or {}))
        return {"type": "file", "path": str(folder / "t.csv")}
    frame = table.frame.copy()
    for name in frame:
        if any(isinstance(value, str) for value in frame[name]):
            texts = [None if pd.isna(v) or v == "" else str(v) for v in frame[name]]
            frame[name] = pd.Series(texts, index=frame.index, dtype=object)
    if kind == "parquet":
        frame.to_parquet(folder / "t.parquet", index=False)
    elif kind == "xlsx":
        with pd.ExcelWriter(folder / "t.xlsx", engine="xlsxwriter") as book:
            frame.to_excel(book, index=False)
    else:
        with duckdb.connect(str(folder / "t.duckdb")) as connection:
            connection.register("frame", frame)
            connection.execute("CREATE TABLE t AS SELECT * FROM frame")
        return {"type": "duckdb", "path": str(folder / "t.duckdb"), "table": "t"}
    return {"type": "file", "path": str(folder / f"t.{kind}")}


def _with(config: Config, settings: Mapping[str, Any]) -> Config:
    """Return the config with the settings of a mutation."""
    document = config.model_dump(mode="json", exclude_unset=True)
    if "calibration" in settings:
        tests = [
            {**test, "start": str(test["start"]), "end": str(test["end"])}
            for test in settings["calibration"]
        ]
        document["calibration"] = tests
    if "start" in settings:
        document["date"]["window_start"] = str(settings["start"])
    return load_config(json.dumps(document)).config


def outcome(table: Table, folder: Path, random: Random) -> str:
    """Return `right`, or `named: …`, or `SILENT: …` with what the product says."""
    source = _write(table, folder, random)
    said: list[str] = []
    try:
        text = init_config(source, market="DE")
        said += [line for line in text.splitlines() if "CHECK" in line]
        config = _with(load_config(text).config, table.settings)
        snapshot = extract(config, run_id="r", to=folder / "s.parquet")
        today = pd.Timestamp(snapshot.last_date).date()
        said += [f.sentence for f in check(snapshot, config, today=today).problems()]
    except MMMError as error:
        said.append(str(error))
    else:
        if _is_right(config, pd.read_parquet(snapshot.path), table):
            return "right" if not said else f"right, but: {said}"
    if table.words and any(re.search(table.words, sentence) for sentence in said):
        return f"named: {said}"
    return f"SILENT ({source['type']}, {source['path'][-7:]}): {said}"


def _is_right(config: Config, read: pd.DataFrame, table: Table) -> bool:
    """Return whether the model has the true dates and numbers, and the pairs of the truth."""
    truth, first = table.truth, table.truth.columns[0]
    spends = {channel.spend: channel.exposure for channel in config.channels}
    names = [str(name) for name in truth if name != first][1:]
    if not len(truth) or set(spends) != set(names) or config.context or config.organic:
        return False
    if any(spends[spend] != exposure for spend, exposure in table.pairs.items()):
        return False
    expected = truth.assign(period=[config.date.first_day(day) for day in truth[first]])
    sums = expected.drop(columns=first).groupby("period").sum()
    sums = sums.reindex(read.iloc[:, 0])
    if len(read) < len(expected["period"].unique()) - 2:
        return False
    return all(np.allclose(read[safe_name(name)], sums[name]) for name in sums)


def campaign(count: int, seed: int) -> Iterator[tuple[str, int, str]]:
    """Yield (name, kind, outcome) of mutations drawn by a seed; every kind in turn."""
    names = list(MUTATIONS)
    for number in range(count):
        random = np.random.default_rng([seed, number])
        name = names[number % len(names)]
        kind, mutate = MUTATIONS[name]
        with TemporaryDirectory() as folder:
            yield name, kind, outcome(mutate(healthy(random), random), Path(folder), random)


def main() -> int:
    """Run a campaign and print what is silent."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    silent = 0
    for number, (name, kind, result) in enumerate(campaign(options.count, options.seed)):
        if result.startswith("SILENT"):
            silent += 1
        print(f"{number:4} kind {kind:2} {name}: {result[:240]}", flush=True)
    print(f"{silent} of {options.count} silent")
    return int(silent > options.count / 50)


if __name__ == "__main__":
    sys.exit(main())
