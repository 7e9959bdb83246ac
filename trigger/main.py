"""The Cloud Function's entry points.

`on_message` takes a Pub/Sub message, as Eventarc delivers it or as a push subscription does. A
response of 2xx acknowledges the message; 503 makes Pub/Sub deliver it again, with its back-off,
until the subscription's dead-letter policy takes it.

`reconcile` takes a request of Cloud Scheduler, whatever it holds, every five minutes.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import flask
import functions_framework
from cloudevents.http import CloudEvent
from werkzeug.exceptions import BadRequest, HTTPException, ServiceUnavailable

from contract.exceptions import MMMError
from contract.run import State
from contract.stores import Store, open_store
from contract.topics import Publisher
from trigger import logs
from trigger.accept import Outcome, accept
from trigger.clients import LazyPublisher
from trigger.cloud_run import CloudRunLauncher
from trigger.execution import Launcher
from trigger.logs import log
from trigger.message import PubSubMessage
from trigger.reconcile import reconcile as run_reconcile
from trigger.settings import Settings, from_environment

logs.configure()


@functions_framework.cloud_event
def on_message(event: CloudEvent) -> None:
    """Accept one delivery of one message."""
    flask.g.read = True
    message = PubSubMessage.from_body(
        event.data,
        source=str(event["source"]),
        event_id=str(event["id"]),
        at=str(event.get("time") or ""),
    )
    _take(message)


@functions_framework.http
def reconcile(_: flask.Request) -> Any:
    """Close what nobody will close any more; answers what was done, 503 if the bucket is away."""
    flask.g.read = True
    try:
        passed = run_reconcile(
            _store(),
            _publisher(),
            _launcher(),
            max_age=_settings().max_message_age,
            on_change=_log_fate,
        )
    except MMMError as error:
        log.error("the runs cannot be looked at: %s", error)
        raise ServiceUnavailable(str(error)) from None
    for problem in passed.problems:
        log.warning("not settled: %s", problem)
    log.info("settled: %s", dict(passed.fates) or "nothing open")
    return {"fates": dict(passed.fates), "problems": len(passed.problems)}


def _log_fate(run_id: str, fate: str) -> None:
    if fate != "open":
        log.info("run %s: %s", run_id, fate, extra={"labels": {"run_id": run_id}})


def _push_without_data(error: BadRequest) -> Any:
    """Take a raw push whose message has attributes only, which the framework answers with 400."""
    body = flask.request.get_json(silent=True)
    if not isinstance(body, dict) or not {"message", "subscription"} <= body.keys():
        return error
    topic = re.search(r"projects/[^/]+/topics/[^/]+", flask.request.path)
    _take(PubSubMessage.from_body(body, source=topic.group() if topic else ""))
    return "OK"


def _unreadable(error: Exception) -> Any:
    """Refuse what the framework stumbles over before it calls us; errors of ours stay errors."""
    if isinstance(error, HTTPException):
        return error
    if flask.g.get("read"):
        raise error
    log.warning("a delivery that is no CloudEvent: %s", type(error).__name__)
    return "no CloudEvent", 400


if functions_framework.errorhandler is not None:  # None outside of a served app
    functions_framework.errorhandler(400)(_push_without_data)
    functions_framework.errorhandler(Exception)(_unreadable)


def _take(message: PubSubMessage) -> None:
    with logs.labels(message_id=message.message_id):
        try:
            outcomes = accept(
                message,
                store=_store(),
                publisher=_publisher(),
                launcher=_launcher(),
                max_age=_settings().max_message_age,
            )
        except MMMError as error:
            log.warning("not done, to be delivered again: %s", error)
            raise ServiceUnavailable(str(error)) from None
        for outcome in outcomes:
            _log(outcome)


def _log(outcome: Outcome) -> None:
    level = log.info if outcome.problem is None else log.error
    about = {"run_id": outcome.run_id, "market": outcome.market, "execution": outcome.execution}
    known = "" if outcome.new or outcome.state is State.REJECTED else " (delivered before)"
    tail = f": {outcome.problem}" if outcome.problem else ""
    level("run %s is %s%s%s", outcome.run_id, outcome.state, known, tail, extra={"labels": about})


@cache
def _settings() -> Settings:
    return from_environment()


@cache
def _store() -> Store:
    return open_store(_settings().bucket)


@cache
def _publisher() -> Publisher:
    return LazyPublisher(_settings().events_topic)


@cache
def _launcher() -> Launcher:
    return CloudRunLauncher.connect(_settings().job, endpoint=_settings().run_endpoint)
