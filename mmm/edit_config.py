"""Add to a config's text without touching its other lines and comments."""

from __future__ import annotations

import re
from typing import Any

from yaml import safe_dump

from contract.documents import parse_yaml
from contract.exceptions import ConfigError
from contract.loading import load_config


def with_lift_tests(text: str, tests: list[dict[str, Any]]) -> str:
    """Return the config with more lift tests in `calibration`.

    Raises:
        ConfigError: the config does not accept them.
    """
    document = _document(text)
    return _replaced(text, "calibration", [*(document.get("calibration") or []), *tests])


def with_budget(text: str, total: float) -> str:
    """Return the config with one more allocator scenario: the best split of a total budget.

    Raises:
        ConfigError: the config does not accept it.
    """
    outputs = dict(_document(text).get("outputs") or {})
    known = outputs.get("allocator") or load_config(text).values["outputs"]["allocator"]
    scenario = {"scenario": "max_response", "total_budget": float(total)}
    return _replaced(text, "outputs", {**outputs, "allocator": [*known, scenario]})


def _document(text: str) -> dict[str, Any]:
    document = parse_yaml(text, what="the config")
    if not isinstance(document, dict):
        raise ConfigError("the config is not a mapping")
    return document


def _replaced(text: str, name: str, value: Any) -> str:
    """Return the text with a top-level block written anew, or added at its end."""
    block = safe_dump({name: value}, sort_keys=False, allow_unicode=True, default_flow_style=None)
    # a block reaches to the next line that begins a top-level key or a comment
    found = re.compile(rf"^{name}:.*\n?(?:(?:[ \t-].*|[ \t]*)(?:\n|$))*?(?=^[^\s-]|\Z)", re.M)
    if found.search(text):
        new = found.sub(lambda _: block, text, count=1)
    else:
        new = f"{text.rstrip()}\n{block}"
    load_config(new, origin="the config with the change")
    return new
