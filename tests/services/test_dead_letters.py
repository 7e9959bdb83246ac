"""Dead letters in the Pub/Sub emulator are listed, and sent again."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from google.cloud import pubsub_v1
from typer.testing import CliRunner

from contract.stores import open_store
from contract.topics.jsonl import FileTopic
from mmm import dead_letters
from mmm.commands import app
from mmm.local.launcher import LocalLauncher
from tests.fakes.pubsub import Emulator
from trigger.accept import accept
from trigger.delivery import Delivery


def test_dead_letters_are_listed_and_sent_again(
    tmp_path: Path,
    pubsub_emulator: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dead_letters, "PULL_SECONDS", 2.0)
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub_emulator.host)
    message = Delivery(
        message_id="1", publish_time=datetime.now(UTC).isoformat(), topic="t",
        data=b'{"config": {}, "mdoe": 1}', attributes={"team": "growth"},
    )  # fmt: skip
    store = open_store(str(tmp_path / "bucket"))
    [bad] = accept(
        message, store=store, publisher=FileTopic(tmp_path / "events.jsonl"),
        launcher=LocalLauncher([], env={}),
    )  # fmt: skip
    dead, subscription = "projects/letters/topics/dead", "projects/letters/subscriptions/dead"
    publisher = pubsub_v1.PublisherClient()
    publisher.create_topic(name=dead)
    with pubsub_v1.SubscriberClient() as subscriber:
        subscriber.create_subscription(name=subscription, topic=dead, ack_deadline_seconds=10)
    given_up = publisher.publish(
        dead, b'{"config_uri": "gs://b/c.yaml"}', CloudPubSubDeadLetterSourceDeliveryCount="10"
    ).result()
    publisher.stop()
    publisher.transport.close()

    replays = FileTopic(tmp_path / "replays.jsonl")
    common = ["--bucket", str(tmp_path / "bucket"), "--subscription", subscription,
              "--to", str(replays.path)]  # fmt: skip
    listed = CliRunner().invoke(app, ["dead-letters", "list", *common])
    assert f"{given_up}\tgiven up\t10 deliveries failed" in listed.output
    assert f"{bad.run_id}\trejected\t`mdoe`" in listed.output

    refused = CliRunner().invoke(app, ["dead-letters", "replay", "--only", "x", *common])
    assert refused.exit_code == 64

    done = CliRunner().invoke(app, ["dead-letters", "replay", *common])
    assert "sent again" in done.output
    CliRunner().invoke(app, ["dead-letters", "replay", "--only", bad.run_id, *common])
    first, second = replays.messages()
    assert first["attributes"] == {"idempotency_key": f"dead-letter-{given_up}"}
    assert second["attributes"] == {"team": "growth"}
    body = Delivery.from_line(second, topic="t").data
    assert json.loads(body or b"")["mdoe"] == 1
