"""Parse JSON from outside: unique keys, finite numbers, valid text, limited depth."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from contract.exceptions import ConfigError

MAX_DEPTH = 20


def parse_json(text: str | bytes) -> Any:
    """Return the value of a JSON text.

    Raises:
        ValueError: the text is not JSON or not UTF-8, repeats a key, or has NaN or Infinity.
    """
    try:
        return json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def check_plain(value: Any, what: str, depth: int = 0) -> None:
    """Refuse a value that cannot be stored as JSON or is nested too deeply.

    Raises:
        ConfigError: the value is refused; `what` names it.
    """
    if depth > MAX_DEPTH:
        raise ConfigError(f"{what} is nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, str):
        if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
            raise ConfigError(f"{what} has a lone surrogate, which is not valid text")
    elif isinstance(value, dict | Mapping):
        for key, child in value.items():
            check_plain(key, what, depth + 1)
            check_plain(child, what, depth + 1)
    elif isinstance(value, list):
        for child in value:
            check_plain(child, what, depth + 1)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{what} has the number {value}; allowed: finite numbers")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key is repeated")
    return document


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
