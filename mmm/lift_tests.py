"""Read the results of experiments from files of other tools, as the config's lift tests.

Three kinds of files are known: a CSV with the fields of `calibration`; a result of GeoLift (R), as
JSON or as the CSV of its `inference`; and an analysis of Meridian GeoX, as JSON.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from statistics import NormalDist
from typing import Any

from pydantic import ValidationError

from contract.calibration import Calibration
from contract.exceptions import ConfigError
from contract.printable import short

_GEOLIFT = {"ATT", "Perc.Lift", "pvalue"}  # R leaves out an interval that it does not have
_HOW_GEOLIFT = (
    'jsonlite::write_json(x[c("inference", "incremental")], "test.json"), '
    "where x is what GeoLift() returned"
)
Fields = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Stated:
    """What the caller says because the file does not, or to overrule it.

    Attributes:
        channels: the channel of each cell; the key None is for files with one test.
        level: the level of the file's confidence interval, as GeoLift's `1 - alpha`.
    """

    channels: Mapping[str | None, str] = field(default_factory=dict)
    start: date | None = None
    end: date | None = None
    lift: float | None = None
    spend: float | None = None
    standard_error: float | None = None
    level: float = 0.9
    scope: str | None = None

    def fields(self) -> Fields:
        """Return what is stated, as fields of `calibration`."""
        names = ("start", "end", "lift", "spend", "standard_error", "scope")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}


def read(path: Path, stated: Stated) -> list[Calibration]:
    """Return the lift tests of a file; see `lift_tests`."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"`{path}` cannot be read: {error}") from None
    return lift_tests(content, str(path), stated)


def lift_tests(content: bytes, file: str, stated: Stated) -> list[Calibration]:
    """Return the lift tests of the content of a file; `file` is its name in messages.

    Raises:
        ConfigError: the file is of no known kind, or a test is not complete; the message names the
            test and the option that helps.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"`{file}` cannot be read: {error}") from None
    tests = list(_tests(text, file, stated))
    if not tests:
        raise ConfigError(f"`{file}` has no lift test")
    return [_checked(where, fields | stated.fields()) for where, fields in tests]


def _tests(text: str, file: str, stated: Stated) -> Iterator[tuple[str, Fields]]:
    """Yield where each test stands, and its fields as far as the file has them."""
    if text.lstrip().startswith(("{", "[")):
        try:
            content = json.loads(text)
        except ValueError as error:
            raise ConfigError(f"`{file}` is not valid JSON: {error}") from None
        if isinstance(content, dict) and "results" in content and "analysis_config" in content:
            yield from _geox(content, file, stated)
            return
        if isinstance(content, dict) and ({"inference"} & set(content) or set(content) >= _GEOLIFT):
            yield file, {**_channel(None, stated, file), **_geolift(content, file, stated)}
            return
    else:
        reader = csv.DictReader(io.StringIO(text))
        rows, columns = list(reader), set(reader.fieldnames or ())
        if columns >= _GEOLIFT and rows:
            yield file, {**_channel(None, stated, file), **_geolift(rows[0], file, stated)}
            return
        known = set(Calibration.model_fields)
        if {"start", "end", "lift", "spend"} <= columns:
            for number, row in enumerate(rows, start=2):
                found = {name: row[name].strip() for name in known & columns if row[name]}
                yield f"line {number}", {**_channel(None, stated, file, found), **found}
            return
    raise ConfigError(
        f"`{file}` is not a result that is known; known are a CSV with the columns channel, start, "
        "end, lift, spend and perhaps standard_error, confidence, scope; a result of GeoLift "
        f"({_HOW_GEOLIFT}); an analysis of Meridian GeoX "
        "(pydantic.TypeAdapter(AnalysisResult).dump_json(x))"
    )


def _channel(
    cell: str | None, stated: Stated, file: str, found: Mapping[str, Any] | None = None
) -> Fields:
    """Return the channel of a test: the stated one of its cell, or of a file with one test."""
    channel = stated.channels.get(cell) or stated.channels.get(None)
    if channel is None and "channel" not in (found or {}):
        option = "--channel NAME" if cell is None else f"--channel {cell}=NAME"
        raise ConfigError(f"`{file}` does not say which channel was tested; add `{option}`")
    return {} if channel is None else {"channel": channel}


def _geolift(content: Mapping[str, Any], file: str, stated: Stated) -> Fields:
    """Return lift and standard error of a result of GeoLift.

    Its interval and ATT are per location and period; `incremental` is their sum over the test.
    """
    inference = content.get("inference", content)
    inference = inference[0] if isinstance(inference, list) and inference else inference
    if not isinstance(inference, dict) or not set(inference) >= _GEOLIFT:
        raise ConfigError(f"`{file}` has no `inference` with {', '.join(sorted(_GEOLIFT))}")
    names = ("ATT", "pvalue", "Lower.Conf.Int", "Upper.Conf.Int")
    per_unit, p_value, low, high = (_number(inference.get(name), name, file) for name in names)
    total = content.get("incremental")
    lift = stated.lift if total is None else _number(total, "incremental", file)
    if lift is None:
        raise ConfigError(
            f"`{file}` has the effect per location and period, not the total of the test; add "
            f"`--lift` with GeoLift's `incremental`, or write the file by {_HOW_GEOLIFT}"
        )
    if per_unit and low is not None and high is not None and high > low:
        z = NormalDist().inv_cdf((1 + stated.level) / 2)
        error: float | None = (high - low) / (2 * z) * abs(lift / per_unit)
    else:
        error = _from_p_value(lift, p_value)
    if error is None and stated.standard_error is None:
        raise ConfigError(
            f"`{file}` has neither an interval nor a p-value between 0 and 1; add "
            "`--standard-error` with the standard error of the lift"
        )
    return {"lift": lift, "standard_error": error}


def _from_p_value(lift: float, p_value: float | None) -> float | None:
    """Return the standard error that fits a two-sided p-value; None if none does."""
    if p_value is None or not 0 < p_value < 1:
        return None
    return abs(lift) / NormalDist().inv_cdf(1 - p_value / 2)


def _geox(content: Mapping[str, Any], file: str, stated: Stated) -> Iterator[tuple[str, Fields]]:
    """Yield the test of each cell of an analysis of Meridian GeoX."""
    config, results = content["analysis_config"], content["results"]
    if not isinstance(results, dict) or not isinstance(config, dict):
        raise ConfigError(f"`{file}`: `results` and `analysis_config` must be objects")
    for cell, metrics in results.items():
        where = f"`{file}`, cell {short(cell)}"
        found = _channel(cell if len(results) > 1 else None, stated, file) | {
            name: str(config[key])[:10]
            for name, key in (("start", "analysis_start_date"), ("end", "analysis_end_date"))
            if config.get(key)
        }
        lift = metrics.get("lift") or {}
        for name, key in (("lift", "point_estimate"), ("standard_error", "standard_deviation")):
            value = _number(lift.get(key), f"lift.{key}", file)
            if value is not None:
                found[name] = value
        per_spend = _number((metrics.get("icpd") or {}).get("point_estimate"), "icpd", file)
        if per_spend and found.get("lift"):
            found["spend"] = found["lift"] / per_spend
        yield where, found


def _number(value: Any, name: str, file: str) -> float | None:
    """Return a number that may be text, or alone in a list as R writes it; None for NA."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if value in (None, "", "NA", "NaN"):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ConfigError(f"`{file}`: `{name}` is `{short(value)}`; allowed: a number") from None
    return number if math.isfinite(number) else None


def _checked(where: str, fields: Fields) -> Calibration:
    """Return the lift test, or say what is missing or wrong."""
    for name in ("start", "end", "lift", "spend"):
        if fields.get(name) is None:
            raise ConfigError(f"{where}: the test has no `{name}`; add `--{name}`")
    numbers = {
        name: _number(fields[name], name, where)
        for name in ("lift", "spend", "standard_error", "confidence")
        if fields.get(name) is not None
    }
    try:
        return Calibration.model_validate({**fields, **numbers})
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(str(part) for part in first["loc"])
        raise ConfigError(
            f"{where}: `{at}`: {first['msg'].removeprefix('Value error, ')}"
        ) from None
