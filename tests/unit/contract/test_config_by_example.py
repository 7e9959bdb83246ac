"""Each example of docs/config-by-example.md is a config, with the blocks of the least one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from contract.config import Config
from contract.documents import parse_yaml
from contract.loading import load_config

TEXT = (Path(__file__).resolve().parents[3] / "docs/config-by-example.md").read_text()
EXAMPLES: list[dict[str, Any]] = [
    parse_yaml(text, what="an example")
    for text in re.findall(r"^```yaml\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
]
LEAST = EXAMPLES[0]


@pytest.mark.parametrize("example", EXAMPLES, ids="+".join)
def test_an_example_is_a_config(example: dict[str, Any]) -> None:
    load_config({**LEAST, **example})


def test_each_block_has_an_example() -> None:
    shown = {name for example in EXAMPLES for name in example}
    assert shown == set(Config.model_fields)
