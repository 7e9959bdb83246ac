"""A few thousand inputs of the fuzzer, and its past findings; `make fuzz N=100000` makes more."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import contract
import job
import job.sources.snowflake
import trigger
from contract import layout
from contract.documents import parse_document
from contract.exceptions import ConfigError, DamagedError
from contract.loading import load_config
from contract.run import read_status
from contract.stores.folder import FolderStore
from mmm.commands.common import parse_overrides
from tests.faults import fuzz, inputs
from trigger import logs
from trigger.delivery import Delivery

pytestmark = pytest.mark.no_cover  # exhaustive: measuring would double the time

NUMBERS = {"config": 300, "message": 250, "delivery": 150, "bucket": 120, "query": 100, "set": 200}


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")
def test_no_input_ends_in_a_traceback(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("MMM_BUCKET", "MMM_EVENTS_TOPIC", "MMM_JOB", "MMM_MAX_MESSAGE_AGE_HOURS"):
        monkeypatch.setenv(variable, "")  # to undo what the target sets
    monkeypatch.setattr(logs.log, "disabled", True)  # other tests of this process need its log
    target = fuzz.targets()[name]
    fuzz.run(target, number=NUMBERS[name], seed_=7)
    assert not target.findings, target.findings[0]
    assert target.made >= NUMBERS[name]


@pytest.mark.parametrize("source", [None, *inputs.SOURCES])
def test_the_config_that_is_changed_is_sound(source: dict[str, Any] | None) -> None:
    load_config(inputs.CONFIG | ({"source": source} if source else {}))


def test_the_fuzzer_can_fail() -> None:
    def broken(text: bytes) -> None:
        if b"week" not in text:
            raise KeyError("week")

    target = fuzz.Target(broken, inputs.config_texts(), 1.0)
    fuzz.run(target, number=300, seed_=7)
    assert "KeyError" in target.findings[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: !!bool x", "uses the YAML tag `tag:yaml.org,2002:bool`"),
        ("a: !!binary eA==", "uses the YAML tag"),
        ("[" * 250_000, "nested deeper than 20 levels"),
        ('{"a": "\\ud800"}', "lone surrogate"),
        ("a: " + "9" * 5000, "Exceeds the limit"),
        ("a: 1e999", "has the number inf"),
    ],
)
def test_documents_of_past_findings(text: str, expected: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(expected)):
        parse_document(text, what="it")


def test_only_the_first_of_many_unknown_keys_are_reported() -> None:
    document = {**inputs.CONFIG, **{f"markets{i}": 1 for i in range(20_000)}}
    with pytest.raises(ConfigError) as caught:
        load_config(document)
    assert len(caught.value.problems) == 21
    assert caught.value.problems[-1] == "There are 19980 more faults."


def test_values_in_messages_cannot_act_on_a_terminal() -> None:
    document = {**inputs.CONFIG, "market": "\x1b]0;x\x07\nERROR: all is lost", "re\x1b[2Jv": 1}
    with pytest.raises(ConfigError) as caught:
        load_config(document)
    assert "\\x1b]0;x\\x07\\nERROR" in str(caught.value)
    assert "`re\\x1b[2Jv` is not a known field" in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_overrides_that_contradict_each_other() -> None:
    with pytest.raises(ConfigError, match="another --set gives `training` a value"):
        parse_overrides(["training=1", "training.trials=2"])
    with pytest.raises(ConfigError, match=r"not valid YAML: month must be in 1\.\.12"):
        parse_overrides(["date.start=2020-13-45"])


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"state": "FINISHED"}, "`state`"),
        ({"updated_at": "2026-11-23T02:00:00"}, "time zone"),
        ({"created_at": "9999-12-31T23:59:59+00:00"}, "years 2000 to 2999"),
        (None, "is damaged"),
    ],
)
def test_a_damaged_status_is_named(tmp_path: Path, change: Any, expected: str) -> None:
    store, path = FolderStore(tmp_path), layout.status(inputs.RUN_ID)
    document = inputs.STORED["status"] | change if change else [1]
    store.write(path, json.dumps(document).encode())
    with pytest.raises(DamagedError, match=expected) as caught:
        read_status(store, inputs.RUN_ID)
    assert path in str(caught.value)
    store.write(path, b'{"run_id": NaN')
    with pytest.raises(DamagedError):
        read_status(store, inputs.RUN_ID)


def test_an_envelope_that_utf8_cannot_hold() -> None:
    body = {"message": {"messageId": "\ud800", "data": "", "attributes": {"a": "\udfff"}}}
    message = Delivery.from_body(body, source="\ud800")
    assert (message.message_id, message.topic, message.attributes) == ("?", "?", {"a": "?"})


def test_no_pattern_of_ours_can_backtrack_without_end() -> None:
    """An unbounded repeat inside another one can take exponential time."""
    patterns = dict(_patterns())
    assert len(patterns) >= 4
    for name, pattern in patterns.items():
        assert not _nested(re._parser.parse(pattern.pattern)), name  # type: ignore[attr-defined]
    assert _nested(re._parser.parse("(a+)+"))  # type: ignore[attr-defined]


def _patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Yield the compiled patterns of all our loaded modules; those of models run in linear time."""
    ours = tuple(f"{package.__name__}." for package in (contract, job, trigger))
    for module_name, module in list(sys.modules.items()):
        if isinstance(module, ModuleType) and module_name.startswith(ours):
            for name, value in vars(module).items():
                if isinstance(value, re.Pattern):
                    yield f"{module_name}.{name}", value


def _nested(parsed: Any, inside: bool = False) -> bool:
    for operation, argument in parsed:
        name, children, repeats = str(operation), [], inside
        if name in ("MAX_REPEAT", "MIN_REPEAT"):
            endless = argument[1] is re._constants.MAXREPEAT  # type: ignore[attr-defined]
            if endless and inside:
                return True
            repeats, children = inside or endless, [argument[2]]
        elif name == "SUBPATTERN":
            children = [argument[-1]]
        elif name == "BRANCH":
            children = argument[1]
        if any(_nested(child, repeats) for child in children):
            return True
    return False
