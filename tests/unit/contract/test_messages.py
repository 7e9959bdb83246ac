"""The published form of messages: schemas, an example of each state, and a consumer of events."""

from __future__ import annotations

import json
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from contract.events import Event
from contract.message import parse_message
from contract.run import State
from mmm.commands.schema import DOCUMENTS
from mmm.schemas import json_schema

ROOT = Path(__file__).resolve().parents[3]
EVENTS = sorted((ROOT / "examples/events").glob("*.json"))
REQUESTS = sorted((ROOT / "examples/requests").glob("*.json"))
ENDS = {state for state in State if state.is_terminal}


def check(document: Any, name: str) -> None:
    jsonschema.validate(document, json_schema(name), format_checker=jsonschema.FormatChecker())


def test_each_state_has_an_example() -> None:
    assert {file.stem.upper() for file in EVENTS} == {state.value for state in ENDS}


@pytest.mark.parametrize("file", EVENTS, ids=lambda file: file.stem)
def test_an_example_is_an_event(file: Path) -> None:
    document = json.loads(file.read_text())
    check(document, "event")
    event = Event.model_validate(document)
    assert json.loads(event.to_json()) == document
    assert Event.of(event.data, at=event.time) == event
    assert event.type == f"mmm.run.{file.stem}"


@pytest.mark.parametrize("file", REQUESTS, ids=lambda file: file.stem)
def test_an_example_is_a_request(file: Path) -> None:
    check(json.loads(file.read_text()), "request")
    parse_message(file.read_bytes())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("best_model", "channels", 0, "roas"), "high"),
        (("best_model", "rsq_train"), "0.9"),
        (("cost", "actual", "amount"), None),
        (("data_quality", "verdict"), "GOOD"),
        (("drift", "channels", 0, "after"), {}),
        (("verdict", "findings", 0, "level"), 1),
        (("state",), "DONE"),
    ],
)
def test_the_schema_refuses_another_type(path: tuple[str | int, ...], value: Any) -> None:
    event = json.loads((ROOT / "examples/events/succeeded.json").read_text())
    place = event["data"]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        check(event, "event")


def free_objects(schema: Any, place: str = "") -> Iterator[str]:
    """Yield the places of objects that the schema does not describe."""
    if isinstance(schema, dict):
        if schema.get("type") == "object" and not (
            schema.get("properties")
            or isinstance(schema.get("additionalProperties"), dict)
            or schema.get("patternProperties")
        ):
            yield place
        for name, inner in schema.items():
            yield from free_objects(inner, f"{place}/{name}")
    elif isinstance(schema, list):
        for index, inner in enumerate(schema):
            yield from free_objects(inner, f"{place}[{index}]")


def test_every_field_has_a_type() -> None:
    assert list(free_objects(json_schema("event"))) == []
    assert list(free_objects(json_schema("request"))) == ["/properties/overrides"]


def test_each_schema_has_a_name_of_its_own() -> None:
    names = [json_schema(name)["$id"] for name in DOCUMENTS]
    assert names == [f"urn:mmm-trainer:schema:{name}" for name in DOCUMENTS]
    for name in DOCUMENTS:
        jsonschema.Draft202012Validator.check_schema(json_schema(name))


def test_a_figure_of_another_form_loses_no_event() -> None:
    """A run that has ended must be reported, whatever its figures look like."""
    data = {"run_id": "r", "state": "SUCCEEDED", "best_model": {"rsq_train": "unknown"}}
    event = {"id": "i", "type": "t", "subject": "r", "time": "2026-11-23T02:00:00Z", "data": data}
    assert Event.model_validate(event).data.best_model == {"rsq_train": "unknown"}


class Subscriber:
    """Delivers each example twice, as Pub/Sub may."""

    acknowledged = 0

    def __enter__(self) -> Subscriber:
        return self

    def __exit__(self, *_: object) -> None: ...

    def subscribe(self, _: str, receive: Any) -> Subscriber:
        for file in EVENTS * 2:
            message = type("Message", (), {"data": file.read_bytes(), "ack": self._ack})
            receive(message())
        return self

    def _ack(self) -> None:
        Subscriber.acknowledged += 1

    def result(self) -> None: ...


def test_the_consumer_takes_each_event_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("google.cloud.pubsub_v1.SubscriberClient", Subscriber)
    runpy.run_path(str(ROOT / "examples/consumer.py"))
    assert capsys.readouterr().out == "DE tv 0.197344\nDE search 0.317771\n"
    assert Subscriber.acknowledged == 2 * len(EVENTS)
