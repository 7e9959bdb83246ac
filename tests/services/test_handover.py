"""The snippets of docs/handover.md: the DAG, the workflow and the script do what they say."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import json
import os
import re
import subprocess
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import jinja2
import jsonschema
import pytest
import yaml

from contract.message import parse_message
from contract.runid import is_valid

ROOT = Path(__file__).resolve().parents[2]
HANDOVER = ROOT / "examples" / "handover"
FILTER = 'attributes.run_id = "'

# The arguments of Airflow's classes (apache-airflow-providers-google 19), besides those of every task.
TASK = {"task_id", "trigger_rule", "mode", "timeout"}
CREATE = {"topic", "project_id", "subscription", "filter_", "ack_deadline_secs"}
DELETE = {"subscription", "project_id", "fail_if_not_exists"}
PULL = {
    "project_id", "subscription", "max_messages", "ack_messages", "messages_callback",
    "poke_interval", "deferrable", "return_immediately",
}  # fmt: skip


def operator(known: set[str], **attributes: Any) -> Any:
    class Operator:
        template_fields: tuple[str, ...] = ("project_id", "subscription")

        def __init__(self, **given: Any) -> None:
            assert given.keys() <= known | TASK, given.keys() - known - TASK
            self.given = given
            Made.append(self)

        def __rshift__(self, other: Any) -> Any:
            Order.append((self, other))
            return other

    for name, value in attributes.items():
        setattr(Operator, name, value)
    return Operator


Made: list[Any] = []
Order: list[tuple[Any, Any]] = []


@pytest.fixture
def dag(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The DAG's module, loaded with stand-ins for Airflow that know its arguments."""
    Made.clear()
    Order.clear()
    published: list[dict[str, Any]] = []

    class Hook:
        def publish(self, *, topic: str, messages: list[Any], project_id: str) -> None:
            published.append({"topic": topic, "messages": messages, "project_id": project_id})

    class Task:
        def __init__(self, work: Any) -> None:
            self.work = work

        def __call__(self, *arguments: Any) -> Any:
            step = operator(set())()
            step.run = lambda: self.work(*arguments)
            return step

    def whole(**given: Any) -> Any:
        assert given.keys() <= {"schedule", "start_date", "catchup"}
        return lambda build: build

    google = "airflow.providers.google.cloud"
    modules = {
        "airflow.decorators": {"dag": whole, "task": Task},
        "airflow.exceptions": {"AirflowException": RuntimeError},
        f"{google}.hooks.pubsub": {"PubSubHook": Hook},
        f"{google}.operators.pubsub": {
            "PubSubCreateSubscriptionOperator": operator(CREATE),
            "PubSubDeleteSubscriptionOperator": operator(DELETE),
        },
        f"{google}.sensors.pubsub": {"PubSubPullSensor": operator(PULL)},
    }
    for name, members in modules.items():
        parts = name.split(".")
        for depth in range(1, len(parts) + 1):
            parent = ".".join(parts[:depth])
            if parent not in sys.modules:
                monkeypatch.setitem(sys.modules, parent, ModuleType(parent))
        for member, value in members.items():
            setattr(sys.modules[name], member, value)
    spec = importlib.util.spec_from_file_location("airflow_dag", HANDOVER / "airflow_dag.py")
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.published = published
    return module


def rendered(text: str) -> str:
    at = datetime(2026, 11, 23, 4, tzinfo=UTC)
    return jinja2.Template(text).render(data_interval_end=at)


def received(state: str) -> list[Any]:
    data = (ROOT / f"examples/events/{state}.json").read_bytes()
    return [SimpleNamespace(message=SimpleNamespace(data=data))]


def test_the_dag_waits_for_the_event_of_the_run_that_it_requests(dag: Any) -> None:
    subscribe, publish, wait, unsubscribe = (
        next(m for m in Made if m.given.get("task_id") == "subscribe"),
        next(m for m in Made if hasattr(m, "run")),
        next(m for m in Made if m.given.get("task_id") == "wait"),
        next(m for m in Made if m.given.get("task_id") == "unsubscribe"),
    )
    assert Order == [(subscribe, publish), (publish, wait), (wait, unsubscribe)]
    run_id = rendered(dag.RUN_ID)
    assert is_valid(run_id)
    assert "filter_" in subscribe.template_fields
    assert rendered(subscribe.given["filter_"]) == f'{FILTER}{run_id}"'
    names = {rendered(m.given["subscription"]) for m in (subscribe, wait, unsubscribe)}
    assert len(names) == 1
    assert re.fullmatch(r"[A-Za-z][\w.~+%-]{2,254}", names.pop())
    assert unsubscribe.given["trigger_rule"] == "all_done"
    publish.run()
    [sent] = dag.published
    message = parse_message(
        sent["messages"][0]["data"].replace(dag.RUN_ID.encode(), run_id.encode())
    )
    assert (message.run_id, sent["topic"]) == (run_id, "mmm-requests")


def test_the_dag_fails_if_a_person_must_look(dag: Any) -> None:
    assert dag.read_event([], {}) is None
    assert dag.read_event(received("succeeded"), {}).endswith("report.html")
    for state in ("held", "failed", "rejected"):
        with pytest.raises(RuntimeError, match=f"is {state.upper()}"):
            dag.read_event(received(state), {})


STEP = {
    "type": "object", "minProperties": 1, "maxProperties": 1,
    "additionalProperties": {
        "type": "object", "additionalProperties": False, "minProperties": 1,
        "properties": {
            "call": {"type": "string"}, "args": {"type": "object"}, "result": {"type": "string"},
            "assign": {"type": "array", "items": {"type": "object", "maxProperties": 1}},
            "next": {"type": "string"}, "raise": {"type": ["string", "object"]},
            "return": {},
            "switch": {
                "type": "array",
                "items": {
                    "type": "object", "required": ["condition"], "additionalProperties": False,
                    "properties": {
                        "condition": {"type": "string"}, "next": {"type": "string"}, "return": {},
                    },
                },
            },
        },
        "dependentRequired": {"args": ["call"], "result": ["call"]},
    },
}  # fmt: skip
WORKFLOW = {
    "type": "object", "required": ["main"],
    "additionalProperties": {
        "type": "object", "required": ["steps"], "additionalProperties": False,
        "properties": {
            "params": {"type": "array"},
            "steps": {"type": "array", "minItems": 1, "items": STEP},
        },
    },
}  # fmt: skip


def test_the_workflow_has_the_syntax_of_workflows() -> None:
    document = yaml.safe_load((HANDOVER / "workflow.yaml").read_text())
    jsonschema.validate(document, WORKFLOW)
    steps = {name: step for one in document["main"]["steps"] for name, step in one.items()}
    named = [step["next"] for step in steps.values() if "next" in step]
    named += [c["next"] for s in steps.values() for c in s.get("switch", ()) if "next" in c]
    assert set(named) <= steps.keys()
    order = list(steps)
    assert order.index("subscribe") < order.index("publish") < order.index("pull")
    calls = {step["call"] for step in steps.values() if "call" in step}
    kind = r"googleapis\.pubsub\.v1\.projects\.(topics\.publish|subscriptions\.\w+)|sys\.sleep"
    assert all(re.fullmatch(kind, call) for call in calls)
    texts = [str(value) for value in _texts(document)]
    for text in texts:
        assert text.count("${") == text.count("}") or "${" not in text, text
        assert text.count("(") == text.count(")"), text
    [request] = [a["request"] for a in steps["prepare"]["assign"] if "request" in a]
    assert request.keys() == {"config_uri", "run_id"}


def _texts(value: Any) -> Any:
    if isinstance(value, dict):
        for entry in value.values():
            yield from _texts(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _texts(entry)
    elif isinstance(value, str):
        yield value


GCLOUD = """#!/usr/bin/env bash
echo "$@" >> "$CALLS"
if [ "$3" = pull ] && [ "$(grep -c ' pull ' "$CALLS")" -gt 2 ]; then echo "$ANSWER"; fi
"""


@pytest.mark.parametrize(("state", "code"), [("SUCCEEDED", 0), ("HELD", 1)])
def test_the_script_waits_for_its_own_run(tmp_path: Path, state: str, code: int) -> None:
    for name, text in (("gcloud", GCLOUD), ("dbt", "#!/usr/bin/env bash\n")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    calls = tmp_path / "calls"
    env = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}", "BUCKET": "b", "PAUSE": "0.1", "ANSWER": state,
        "CALLS": str(calls),
    }  # fmt: skip
    done = subprocess.run(
        [HANDOVER / "dbt.sh"], env=env, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == code, done.stderr
    lines = calls.read_text().splitlines()
    assert [line.split()[2] for line in lines] == [
        "create", "publish", "pull", "pull", "pull", "delete",
    ]  # fmt: skip
    message = parse_message(lines[1].partition("--message=")[2].encode())
    assert message.run_id is not None
    assert is_valid(message.run_id)
    assert f'{FILTER}{message.run_id}"' in lines[0]
    assert f"dbt-{message.run_id}" in lines[-1]


RUN_EVENT = {
    "type": "object",
    "required": ["eventTime", "producer", "schemaURL", "run", "job"],
    "properties": {
        "eventType": {"enum": ["START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"]},
        "eventTime": {"type": "string", "format": "date-time"},
        "run": {"type": "object", "required": ["runId"]},
        "job": {"type": "object", "required": ["namespace", "name"]},
        "outputs": {
            "type": "array",
            "items": {"type": "object", "required": ["namespace", "name"]},
        },
    },
}


def lineage() -> Any:
    spec = importlib.util.spec_from_file_location("lineage", ROOT / "examples/lineage/main.py")
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_state_is_a_valid_pair_of_openlineage_events() -> None:
    module = lineage()
    for file in sorted((ROOT / "examples" / "events").glob("*.json")):
        event = json.loads(file.read_text())
        start, end = module.run_events(event, "mmm")
        for one in (start, end):
            jsonschema.validate(one, RUN_EVENT)
            uuid.UUID(one["run"]["runId"])
            assert datetime.fromisoformat(one["eventTime"]).tzinfo is not None
            for facet in one["run"].get("facets", {}).values():
                assert {"_producer", "_schemaURL"} <= facet.keys()
        assert (start["eventType"], start["run"]["runId"]) == ("START", end["run"]["runId"])
        assert end["eventType"] == module.ENDS[event["data"]["state"]]
        assert start["eventTime"] <= end["eventTime"]
    assert "OPENLINEAGE_URL" in inspect.getsource(module.on_event)


def test_the_dag_is_plain_python() -> None:
    tree = ast.parse((HANDOVER / "airflow_dag.py").read_text())
    assert ast.get_docstring(tree)
