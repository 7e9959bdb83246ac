"""The kinds of text in a config, each with its pattern and a description for errors."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

_NAME = r"^[A-Za-z][A-Za-z0-9_]{0,62}$"
_PATH_PART = r"^[A-Za-z0-9][A-Za-z0-9_\-]{0,62}$"
_PLAIN = r"^[^\x00-\x1f\x7f]+$"
_TABLE = r'^[A-Za-z0-9_$"\-]+(\.[A-Za-z0-9_$"\-]+){0,2}$'
_DATE_FORMAT = r"^((%[YdmbByHMS]|[ ./,:T\-])+|%G-?W?%V|excel)$"
_TIME_ZONE = r"^[A-Za-z][A-Za-z0-9_+\-]*(/[A-Za-z0-9_+\-]+){0,2}$"
_RUN_ID = r"^\d{8}T\d{6}Z-[0-9a-f]{8}$"
_CONFIG_URI = r"^gs://|^file://"
_CURRENCY = r"^[A-Z]{3}$"

ALLOWED_DATE_FORMAT = (
    "a year (%Y, %y), a month (%m, %b, %B) and a day (%d; months need none), each once, with "
    "blanks, `.`, `,`, `/` or `-` between them and a time (%H, %M, %S) after them; %G-W%V; or "
    "excel, e.g. %d.%m.%Y"
)
ALLOWED_TIME_ZONE = "UTC or a time zone by its place, e.g. Europe/Berlin"
# Pattern -> its description in error messages.
IN_WORDS = {
    _NAME: "letters, digits and `_`, a letter first, at most 63 characters",
    _PATH_PART: "letters, digits, `_` and `-`, a letter or digit first, at most 63 characters",
    _PLAIN: "text without control characters",
    _TABLE: "a table as NAME, SCHEMA.NAME or DATABASE.SCHEMA.NAME",
    _DATE_FORMAT: ALLOWED_DATE_FORMAT,
    _TIME_ZONE: ALLOWED_TIME_ZONE,
    _RUN_ID: "a run id, e.g. 20261123T020000Z-1a2b3c4d",
    _CONFIG_URI: "gs://BUCKET/PATH",
    _CURRENCY: "three capital letters, e.g. EUR",
}

Name = Annotated[str, StringConstraints(pattern=_NAME)]
PathPart = Annotated[str, StringConstraints(pattern=_PATH_PART)]
Column = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=_PLAIN)]
Location = Annotated[str, StringConstraints(min_length=1, max_length=1024, pattern=_PLAIN)]
Label = Annotated[str, StringConstraints(max_length=64, pattern=_PLAIN)]
Currency = Annotated[str, StringConstraints(pattern=_CURRENCY)]
TableName = Annotated[str, StringConstraints(pattern=_TABLE, max_length=400)]
Query = Annotated[str, StringConstraints(min_length=8, max_length=65536)]
DateFormat = Annotated[str, StringConstraints(pattern=_DATE_FORMAT, max_length=32)]
TimeZone = Annotated[str, StringConstraints(pattern=_TIME_ZONE, max_length=64)]
RunId = Annotated[str, StringConstraints(pattern=_RUN_ID)]
ConfigUri = Annotated[str, StringConstraints(pattern=_CONFIG_URI, max_length=1024)]
