"""Make a config from the flat `job_config.json` of another job that trains with Robyn.

Such a file has Robyn's names at its top level (`dep_var`, `paid_media_spends`, …), beside the place
of the data and the length of the search. What it cannot say is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from contract.exceptions import ConfigError
from contract.hyperparameters import Adstock, kinds
from contract.loading import load_config
from contract.printable import one_line, short
from mmm.propose import Draft
from mmm.propose.questions import Option, Question, check_answers
from mmm.propose.vocabulary import split_words

FREQUENCIES = {"w": "week", "m": "month", "d": "day"}
COUNTRY_COLUMNS = ("COUNTRY", "COUNTRY_CODE", "MARKET", "COUNTRY_ISO", "LOCALE")
AGGREGATIONS = {"mean": "mean", "avg": "mean", "min": "min", "max": "max", "auto": "first"}
COMPUTED = ("IS_WEEKEND",)  # such jobs compute it themselves
MONEY = {"cost", "costs", "spend", "spends", "amount", "budget", "s"}
# Keys that say how or where the other job runs, not what it trains.
OF_THE_JOB = frozenset(
    {"timestamp", "date_input", "use_parquet", "parallel_processing", "max_cores", "job_id"}
    | {"gcs_prefix", "output_timestamp", "data_version", "meta_version"}
)
LISTS = ("paid_media_spends", "paid_media_vars", "organic_vars", "context_vars", "factor_vars")
REQUIRED = ("country", "dep_var", "paid_media_spends")


@dataclass
class _Import:
    """A file on its way to a config: what was read, asked and noted so far."""

    given: Mapping[str, Any]
    answers: Mapping[str, str]
    questions: list[Question] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    read: set[str] = field(default_factory=set)

    def take(self, name: str, default: Any = None) -> Any:
        """Return a value of the file; empty ones count as left out."""
        self.read.add(name)
        value = self.given.get(name)
        return default if value in (None, "", [], {}) else value

    def columns(self, name: str) -> list[str]:
        """Return a list of columns, which may be a text with commas."""
        value = self.take(name, [])
        parts = value.split(",") if isinstance(value, str) else value
        if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
            raise ConfigError(f"`{name}` is `{short(str(value))}`; allowed: a list of columns")
        return [part.strip() for part in parts if part.strip()]

    def ask(self, name: str, text: str, options: dict[str, str], default: str | None) -> str | None:
        """Ask a question; return its answer, or the default."""
        answer = self.answers.get(name)
        listed = [Option(value=value, label=label) for value, label in options.items()]
        self.questions.append(
            Question(id=name, text=text, options=listed, default=default, answer=answer)
        )
        return answer if answer in options else default


def import_config(given: Mapping[str, Any], *, origin: str, answers: Mapping[str, str]) -> Draft:
    """Return the config that a flat file stands for, and what it leaves open.

    Args:
        given: The file's content.
        origin: The file's name.
        answers: Answers to questions, by their id.

    Raises:
        ConfigError: The file lacks what every config needs, or an answer is not allowed.
    """
    missing = [name for name in REQUIRED if not given.get(name)]
    if missing:
        raise ConfigError(
            [f"`{origin}` has no `{name}`; a flat config of Robyn needs it" for name in missing]
        )
    work = _Import(given=given, answers=answers)
    document = _document(work)
    check_answers(answers, work.questions)
    unknown = sorted(set(given) - work.read - OF_THE_JOB)
    work.notes += [f"`{name}` has no counterpart here and is left out" for name in unknown]
    open_questions = [q for q in work.questions if q.answer is None and q.default is None]
    if open_questions:
        asked = [
            f"{q.text}? Add `--answer {q.id}=VALUE`; "
            f"allowed: {', '.join(option.value for option in q.options)}"
            for q in open_questions
        ]
        return Draft(text=None, problem=ConfigError(asked), questions=work.questions)
    text = _text(document, origin, work.notes)
    try:
        load_config(text, origin=origin)
    except ConfigError as error:
        return Draft(text=None, problem=error, questions=work.questions)
    return Draft(text=text, problem=None, questions=work.questions)


def _document(work: _Import) -> dict[str, Any]:
    country = str(work.take("country"))
    kind = work.take("dep_var_type") or work.ask(
        "kind",
        "what the target counts",
        {"revenue": "money; the results are ROAS", "conversion": "events; the results are CPA"},
        "revenue",
    )
    channels = list(_channels(work))
    factors = _present(work, "factor_vars")
    context = [name for name in _present(work, "context_vars") if name not in factors]
    document: dict[str, Any] = {
        "version": 1,
        "market": country.upper() if len(country) <= 3 else country,
        "revision": str(work.take("revision", "r1")),
        "source": _source(work, country),
        "date": _date(work),
        "target": {"column": str(work.take("dep_var")), "kind": kind},
        "channels": channels,
        "organic": work.columns("organic_vars"),
        "context": context,
        "factors": factors,
    }
    used = {
        document["target"]["column"],
        *(column for channel in channels for key, column in channel.items() if key != "name"),
        *document["organic"],
        *context,
        *factors,
    }
    document["aggregation"] = dict(_aggregation(work, used))
    document["training"] = _training(work, document, daily=document["date"]["frequency"] == "day")
    if bucket := work.take("gcs_bucket"):
        work.notes.append(f"`gcs_bucket` is not part of a config: use `--bucket gs://{bucket}`")
    if events := work.take("annotations_gcs_path"):
        work.notes.append(
            f"`annotations_gcs_path` is {events}; if its columns are `date` and `name`, set "
            "`annotations` to it, and each name becomes a factor"
        )
    return {name: value for name, value in document.items() if value not in ([], {})}


def _source(work: _Import, country: str) -> dict[str, Any]:
    query, table, file = (work.take(name) for name in ("query", "table", "data_gcs_path"))
    places = {name: value for name, value in (("query", query), ("table", table)) if value}
    if file and places:
        chosen = work.ask(
            "source",
            "where the data comes from",
            {"warehouse": "the warehouse, anew in every run", "file": f"the copy in {file}"},
            "warehouse",
        )
        places = {} if chosen == "file" else places
    if places:
        name, value = next(iter(places.items()))
        warehouse = work.ask(
            "warehouse",
            f"the warehouse of the {name}",
            {"snowflake": "Snowflake", "bigquery": "BigQuery"},
            "snowflake",
        )
        source: dict[str, Any] = {"type": warehouse, name: value}
    elif file:
        source = {"type": "file", "path": file}
    else:
        raise ConfigError(
            "the file has no `query`, `table` or `data_gcs_path`; add the one that has the data"
        )
    options = {"none": "all rows belong to the country"}
    options |= {name: f"the rows in which `{name}` is {country}" for name in COUNTRY_COLUMNS}
    column = work.ask(
        "country_column",
        f"which rows belong to {country}",
        options,
        "none" if source["type"] == "file" else None,
    )
    if column not in (None, "none"):
        source |= {"country_column": column, "country": country}
    return source


def _date(work: _Import) -> dict[str, Any]:
    given = str(work.take("resample_freq", "none")).strip().lower()
    frequency = FREQUENCIES.get(given[:1]) or work.ask(
        "frequency",
        "the length of a period; the other job trains on the rows as they are",
        {
            "day": "days, as the other job",
            "week": "weeks, which have less noise",
            "month": "months",
        },
        "day",
    )
    date: dict[str, Any] = {"column": str(work.take("date_var", "date")), "frequency": frequency}
    start, end = work.take("start_date"), work.take("end_date")
    start, end = start or work.take("window_start"), end or work.take("window_end")
    if start:
        date["start"] = str(start)
    if end:
        fixed = {"open": "up to the newest data of each run", "fixed": f"up to {end}, always"}
        if work.ask("end", "how far the data goes", fixed, "open") == "fixed":
            date["end"] = str(end)
    if given[:1] not in FREQUENCIES:
        date["fill"] = "zero"
        work.notes.append("`date.fill` is zero, because the other job adds missing days with 0")
    return date


def _channels(work: _Import) -> Iterator[dict[str, str]]:
    spends, exposures = work.columns("paid_media_spends"), work.columns("paid_media_vars")
    by_exposure = work.take("var_to_spend_mapping", {})
    by_spend = {spend: exposure for exposure, spend in by_exposure.items() if spend != exposure}
    if not by_spend and len(exposures) == len(spends):
        by_spend = dict(zip(spends, exposures, strict=True))
    elif not by_spend and exposures:
        work.notes.append(
            f"`paid_media_vars` has {len(exposures)} columns for {len(spends)} spends, so they are "
            "left out: give each channel its `exposure`"
        )
    taken: set[str] = set()
    for spend in spends:
        name = _name(spend, taken)
        channel = {"name": name, "spend": spend}
        if by_spend.get(spend, spend) != spend:
            channel["exposure"] = by_spend[spend]
        yield channel


def _name(spend: str, taken: set[str]) -> str:
    """Return a channel's name: the words of its spend column without those for money."""
    words = [word for word in split_words(spend) if word not in MONEY]
    name = re.sub(r"[^a-z0-9_]", "", "_".join(words))[:60].strip("_")
    name = name if name[:1].isalpha() else f"channel_{name or len(taken) + 1}"
    while name in taken:
        name += "_2"
    taken.add(name)
    return name


def _present(work: _Import, name: str) -> list[str]:
    """Return columns without those that such jobs compute themselves."""
    columns = work.columns(name)
    for column in columns:
        if column.upper() in COMPUTED:
            note = f"`{column}` is left out: the other job computes it, and `weekday` stands for it"
            work.notes += [] if note in work.notes else [note]
    return [column for column in columns if column.upper() not in COMPUTED]


def _aggregation(work: _Import, used: set[str]) -> Iterator[tuple[str, str]]:
    for column, how in work.take("column_agg_strategies", {}).items():
        if column in used and how in AGGREGATIONS:
            yield column, AGGREGATIONS[how]


def _training(work: _Import, document: dict[str, Any], *, daily: bool) -> dict[str, Any]:
    adstock = str(work.take("adstock", "geometric"))
    training: dict[str, Any] = {"adstock": adstock}
    for name in ("iterations", "trials"):
        value = work.take(name)
        if value is not None:
            training[name] = int(value) if str(value).isdecimal() else value
    prophet = work.take("prophet_vars")
    if prophet or daily:
        training["prophet"] = prophet or ["trend", "season", "holiday", "weekday"]
    if holidays := work.take("prophet_country"):
        training["holidays"] = str(holidays).upper()
    size = work.take("train_size")
    if size is not None:
        work.notes.append(
            f"`train_size` is {size}; Robyn uses it only with `training.ts_validation: true`"
        )
        numbers = re.findall(r"[\d.]+", str(size))
        training["train_size"] = [float(number) for number in numbers]
    ranges = work.take("hyperparameters") or _ranges(work, document, adstock)
    preset = work.take("hyperparameter_preset")
    if ranges:
        training["hyperparameters"] = ranges
    elif preset:
        work.notes.append(
            f"`hyperparameter_preset` is `{short(str(preset))}`, whose ranges are not in the file: "
            "this project's are used; `training.hyperparameters` takes others"
        )
    return training


def _ranges(work: _Import, document: dict[str, Any], adstock: str) -> dict[str, list[float]]:
    """Return `custom_hyperparameters`: ranges of single media, or a minimum and maximum for all."""
    custom = work.take("custom_hyperparameters", {})
    ranges = {name: value for name, value in custom.items() if isinstance(value, list)}
    if ranges or not custom or adstock not in list(Adstock):
        return ranges
    media = [channel.get("exposure", channel["spend"]) for channel in document["channels"]]
    for kind in kinds(Adstock(adstock)):
        low, high = custom.get(f"{kind}_min"), custom.get(f"{kind}_max")
        if low is not None and high is not None:
            searched = [*media, *document["organic"]]
            ranges |= {f"{medium}_{kind}": [float(low), float(high)] for medium in searched}
    return ranges


def _text(document: dict[str, Any], origin: str, notes: list[str]) -> str:
    lines = [f"# Imported from {origin}. Review it, then: mmm plan CONFIG"]
    lines += [f"# - {note}" for note in notes]
    lines = [one_line(line) for line in lines]
    body = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, default_flow_style=None)
    return "\n".join(lines) + "\n" + body
