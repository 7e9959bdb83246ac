"""A config that can never run is refused by the trigger, by `mmm plan` and by `mmm check` alike."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import typer.main
from click.testing import CliRunner

from contract import layout
from contract.run import State
from contract.stores import open_store
from contract.topics.jsonl import FileTopic
from mmm.commands import app
from tests.bad_configs import BAD, changed
from tests.faults.model import Service
from trigger.accept import accept
from trigger.delivery import Delivery

MMM: Any = typer.main.get_command(app)
bad = pytest.mark.parametrize(("changes", "said"), BAD, ids=lambda value: str(value)[:80])


@bad
def test_the_trigger_rejects_it(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    store, topic, service = open_store(str(tmp_path)), FileTopic(tmp_path / "events"), Service()
    body = {
        "messageId": "1",
        "publishTime": "2999-01-01T00:00:00Z",
        "data": base64.b64encode(
            json.dumps({"config": changed(changes)}, default=str).encode()
        ).decode(),
    }
    delivery = Delivery.from_line(body, topic="t")
    [outcome] = accept(delivery, store=store, publisher=topic, launcher=service)
    assert (outcome.state, outcome.problem) == (State.REJECTED, said)
    assert not service.executions
    [line] = topic.messages()
    event = json.loads(base64.b64decode(line["data"]))
    assert (event["type"], event["data"]["error"]["code"]) == ("mmm.run.rejected", 64)
    assert event["data"]["error"]["message"] == said
    assert not list(store.list(layout.request(outcome.run_id)))


@bad
@pytest.mark.parametrize("command", ["plan", "check"])
def test_the_command_line_refuses_it(
    command: str, changes: dict[str, Any], said: str, tmp_path: Path
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(json.dumps(changed(changes), default=str))
    done = CliRunner().invoke(MMM, [command, str(config)])
    assert done.exit_code == 64, done.output
    assert [line.removeprefix("error: ") for line in done.stderr.splitlines()] == said.split("\n")
    assert not done.stdout
