"""The Cloud Function's entry points.

`on_message` takes a Pub/Sub message, as Eventarc delivers it or as a push subscription does. A
response of 2xx acknowledges the message; 503 makes Pub/Sub deliver it again, with its back-off,
until the subscription's dead-letter policy takes it.

`reconcile` takes a request of Cloud Scheduler every five minutes and ignores its content.
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
from contract.pages.update import show_changes
from contract.run import State, Status
from contract.stores import Store, open_store
from contract.topics import Publisher
from trigger import logs
from trigger.accept import MessageResult, accept
from trigger.clients import LazyPublisher
from trigger.cloud_run import CloudRunLauncher
from trigger.delivery import Delivery
from trigger.execution import Launcher
from trigger.logs import log
from trigger.reconcile import reconcile as run_reconcile
from trigger.settings import Settings

logs.configure()


@functions_framework.cloud_event
def on_message(event: CloudEvent) -> None:
    """Accept one delivery of one message."""
    flask.g.read = True
    delivery = Delivery.from_body(
        event.data,
        source=str(event["source"]),
        event_id=str(event["id"]),
        at=str(event.get("time") or ""),
    )
    _take(delivery)


@functions_framework.http
def reconcile(_: flask.Request) -> Any:
    """End runs that cannot end themselves; answer 503 if the bucket is unreachable."""
    flask.g.read = True
    try:
        report = run_reconcile(
            _store(),
            _publisher(),
            _launcher(),
            max_age=_settings().max_message_age,
            on_change=_log_result,
            on_end=_log_end,
        )
    except MMMError as error:
        log.error("the runs cannot be reconciled: %s", error)
        raise ServiceUnavailable(str(error)) from None
    for problem in report.problems:
        log.warning("not settled: %s", problem)
    log.info("settled: %s", dict(report.results) or "no open runs")
    if report.results["closed"]:
        show_changes(_store())
    return {"results": dict(report.results), "problems": len(report.problems)}


def _log_end(status: Status) -> None:
    """Log a run that reconcile ended; a failed one is an error, for which there is an alert."""
    level = log.error if status.state is State.FAILED else log.info
    reason = f": {status.error.message}" if status.error else ""
    about = {"run_id": status.run_id, "market": status.market}
    level("run %s is %s%s", status.run_id, status.state, reason, extra={"labels": about})


def _log_result(run_id: str, result: str) -> None:
    if result != "open":
        log.info("run %s: %s", run_id, result, extra={"labels": {"run_id": run_id}})


def _push_without_data(error: BadRequest) -> Any:
    """Accept a raw push that has only attributes, which the framework answers with 400."""
    body = flask.request.get_json(silent=True)
    if not isinstance(body, dict) or not {"message", "subscription"} <= body.keys():
        return error
    topic = re.search(r"projects/[^/]+/topics/[^/]+", flask.request.path)
    _take(Delivery.from_body(body, source=topic.group() if topic else ""))
    return "OK"


def _unreadable(error: Exception) -> Any:
    """Answer 400 if the framework fails before it calls us; our own errors stay errors."""
    if isinstance(error, HTTPException):
        return error
    if flask.g.get("read"):
        raise error
    log.warning("the delivery is not a CloudEvent: %s", type(error).__name__)
    return "not a CloudEvent", 400


if functions_framework.errorhandler is not None:  # None outside of a served app
    functions_framework.errorhandler(400)(_push_without_data)
    functions_framework.errorhandler(Exception)(_unreadable)


def _take(delivery: Delivery) -> None:
    with logs.labels(message_id=delivery.message_id):
        try:
            results = accept(
                delivery,
                store=_store(),
                publisher=_publisher(),
                launcher=_launcher(),
                max_age=_settings().max_message_age,
            )
        except MMMError as error:
            log.warning("not accepted yet; Pub/Sub delivers it again: %s", error)
            raise ServiceUnavailable(str(error)) from None
        for result in results:
            _log(result)


def _log(result: MessageResult) -> None:
    is_fault = result.problem is not None and result.state is not State.SKIPPED
    level = log.error if is_fault else log.info
    about = {"run_id": result.run_id, "market": result.market, "execution": result.execution}
    known = "" if result.new or result.state is State.REJECTED else " (delivered before)"
    tail = f": {result.problem}" if result.problem else ""
    state = result.state or "UNKNOWN"
    level("run %s is %s%s%s", result.run_id, state, known, tail, extra={"labels": about})


@cache
def _settings() -> Settings:
    return Settings.read()


@cache
def _store() -> Store:
    return open_store(_settings().bucket)


@cache
def _publisher() -> Publisher:
    return LazyPublisher(_settings().events_topic)


@cache
def _launcher() -> Launcher:
    return CloudRunLauncher.connect(_settings().job, endpoint=_settings().run_endpoint)
