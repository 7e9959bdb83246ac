"""Accept a message: validate, name the run, store its request once, launch, record.

Delivered twice, or to two processes at once, a message gives one run. An error that a redelivery
can heal is raised (the delivery must then fail); a message that can never run is kept, told in a
REJECTED event, and acknowledged.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from contract import layout, runid
from contract.exceptions import (
    ConfigError,
    MMMError,
    NotFoundError,
    TransientError,
)
from contract.rejection import reject
from contract.request import Request, stored_request
from contract.run import State, Status, now, read_status
from contract.stores import Store
from contract.stores.atomic import create
from contract.terminal import publish_end
from contract.topics import Publisher
from trigger.execution import Launcher
from trigger.launch import awaits_launch, launch_again, launch_first
from trigger.message import PubSubMessage
from trigger.requests import Asked, too_old, understand

MAX_MESSAGE_AGE = timedelta(days=2)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one run of a message. `new` says that this delivery stored its request."""

    run_id: str
    state: State
    new: bool
    market: str | None = None
    execution: str | None = None
    problem: str | None = None


def accept(
    message: PubSubMessage,
    *,
    store: Store,
    publisher: Publisher,
    launcher: Launcher,
    max_age: timedelta = MAX_MESSAGE_AGE,
) -> list[Outcome]:
    """Take one delivery of a message; returns one outcome per run.

    Raises:
        TransientError, StoreError, ServiceError: the delivery must fail, so that it comes again.
    """
    try:
        asked = understand(message)
    except ConfigError as error:
        return [_reject(message, error, store, publisher)]
    outcomes: list[Outcome] = []
    delayed: MMMError | None = None
    for market in asked.markets:
        try:
            outcomes.append(
                _accept_one(
                    asked,
                    market,
                    store=store,
                    publisher=publisher,
                    launcher=launcher,
                    max_age=max_age,
                )
            )
        except TransientError as error:
            delayed = error  # the other markets need not wait for this one
    if delayed is not None:
        raise delayed
    return outcomes


def _accept_one(
    asked: Asked,
    market: str | None,
    *,
    store: Store,
    publisher: Publisher,
    launcher: Launcher,
    max_age: timedelta,
) -> Outcome:
    run_id, path = asked.place(market)
    try:
        stale = too_old(asked.delivery.published_at, max_age)
        if stale:
            raise ConfigError(stale)
        request, config = asked.request(store, run_id, market)
        new = create(store, path, request.to_json())
    except ConfigError as error:
        # An earlier delivery may have been accepted, before the config changed or time passed.
        earlier = _earlier(store, run_id, path)
        if earlier is None:
            return _reject(asked.delivery, error, store, publisher, market=market)
    else:
        earlier = None if new else _earlier(store, run_id, path)
        if not new and earlier is None:
            # The key's object says no more than an id, as other versions and executions leave it.
            request = request.model_copy(update={"run_id": runid.of_key(store, path)})
            if not create(store, layout.request(request.run_id), request.to_json()):
                raise TransientError(f"run {request.run_id} is being accepted by another delivery")
    if earlier is None:
        status = launch_first(request, config, store=store, launcher=launcher)
    elif isinstance(earlier, Status):
        status = earlier
    else:
        status = launch_again(earlier, store=store, launcher=launcher)
    return _conclude(status, store, publisher, new=earlier is None)


def _earlier(store: Store, run_id: str, path: str) -> Status | Request | None:
    """What an earlier delivery left: the status of a run that needs no launch, else its request.

    Most deliveries of a double end with the status; only if there is none, a key is looked up.
    """
    if status := _launched(store, run_id):
        return status
    if path != layout.request(run_id):
        try:
            known = runid.of_key(store, path)
        except NotFoundError:
            return None
        if known != run_id and (status := _launched(store, known)):
            return status
        run_id = known
    return stored_request(store, run_id)


def _launched(store: Store, run_id: str) -> Status | None:
    status = read_status(store, run_id)
    return None if status is None or awaits_launch(status) else status


def _conclude(status: Status, store: Store, publisher: Publisher, *, new: bool) -> Outcome:
    """What became of the run; a launch that was refused has ended it, and is told."""
    if status.state is State.FAILED and status.error and status.error.step == "launch":
        _tell(store, publisher, status)
    return Outcome(
        run_id=status.run_id,
        state=status.state,
        new=new,
        market=status.market,
        execution=status.execution,
        problem=status.error.message if status.error else None,
    )


def _reject(
    message: PubSubMessage,
    error: ConfigError,
    store: Store,
    publisher: Publisher,
    market: str | None = None,
) -> Outcome:
    """Keep the message and tell; under an id of its own, whatever run id or key it brought."""
    key = message.key if market is None else f"{message.key}|{market}"
    at = message.published_at
    run_id = runid.make(key, at) if at else runid.for_key(store, key, now())
    body = message.data if message.data is not None else b""
    with suppress(_TopicError):
        reject(
            store,
            _Outboxed(publisher),
            run_id=run_id,
            body=body,
            attributes={
                **message.attributes,
                "message_id": message.message_id,
                "publish_time": message.publish_time,
                "topic": message.topic,
            },
            error=error,
        )
    return Outcome(
        run_id=run_id, state=State.REJECTED, new=True, market=market, problem=error.message
    )


def _tell(store: Store, publisher: Publisher, status: Status) -> None:
    with suppress(_TopicError):
        publish_end(store, _Outboxed(publisher), status)


class _TopicError(Exception):
    """The topic cannot be reached; the event is in the outbox, and `reconcile` publishes it."""


class _Outboxed:
    """A publisher whose failures are told from the bucket's."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    @property
    def topic(self) -> str:
        return self._publisher.topic

    def publish(self, data: bytes, attributes: Mapping[str, str]) -> str:
        try:
            return self._publisher.publish(data, attributes)
        except MMMError as error:
            raise _TopicError(str(error)) from error
