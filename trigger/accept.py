"""Accept a message: validate it, name its runs, store each request once, launch.

A message that is delivered twice, or to two processes at once, gives one run per market. An error
that a redelivery can fix is raised, so that the delivery fails. A message that can never run ends
as REJECTED and is acknowledged. Delivered again, it gets the same answer, even if it could run now.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from contract import layout, runid
from contract.damage import unless_damaged
from contract.exceptions import (
    ConfigError,
    DamagedError,
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
from trigger.delivery import Delivery
from trigger.execution import Launcher
from trigger.launch import STEP, awaits_launch, launch_again, launch_first
from trigger.requests import CheckedMessage, check_age, check_message

MAX_MESSAGE_AGE = timedelta(days=2)


@dataclass(frozen=True, kw_only=True)
class MessageResult:
    """The result for one run of a message; `new` is true if this delivery stored its request.

    The state is None if it is unknown, because an object of the run is damaged.
    """

    run_id: str
    state: State | None
    new: bool
    market: str | None = None
    execution: str | None = None
    problem: str | None = None


def accept(
    delivery: Delivery,
    *,
    store: Store,
    publisher: Publisher,
    launcher: Launcher,
    max_age: timedelta = MAX_MESSAGE_AGE,
) -> list[MessageResult]:
    """Accept one delivery of a message and return one result per run.

    Raises:
        TransientError, StoreError, ServiceError: the delivery must fail, so that it is repeated.
    """
    try:
        message = check_message(delivery)
    except ConfigError as error:
        return [_reject(delivery, error, store, publisher)]
    if message.markets != [None]:
        whole = unless_damaged(
            lambda: read_status(store, _rejection_id(delivery, None, store)),
            None,
            then="the message counts as not rejected",
        )
        if whole is not None and whole.state is State.REJECTED:
            return [_reject_again(delivery, whole, store, publisher)]
    results: list[MessageResult] = []
    delayed: MMMError | None = None
    for market in message.markets:
        try:
            results.append(
                _accept_one(
                    message,
                    market,
                    store=store,
                    publisher=publisher,
                    launcher=launcher,
                    max_age=max_age,
                )
            )
        except DamagedError as error:
            if not _is_stored(message, market, store):
                delayed = error  # a delivery after the repair accepts it
                continue
            results.append(_damaged(message, market, error))
        except MMMError as error:
            delayed = error  # a failure here does not delay the other markets
    if delayed is not None:
        raise delayed
    return results


def _is_stored(message: CheckedMessage, market: str | None, store: Store) -> bool:
    """Return whether `reconcile` finds the run, so that the message is no longer needed."""
    return store.stat(layout.request(message.identity(market)[0])) is not None


def _damaged(message: CheckedMessage, market: str | None, error: DamagedError) -> MessageResult:
    """Report a run whose own object is damaged: `reconcile` or `mmm doctor` continues it."""
    return MessageResult(
        run_id=message.identity(market)[0],
        state=None,
        new=False,
        market=market,
        problem=f"{error.message}; `mmm doctor` shows the remedy",
    )


def _accept_one(
    message: CheckedMessage,
    market: str | None,
    *,
    store: Store,
    publisher: Publisher,
    launcher: Launcher,
    max_age: timedelta,
) -> MessageResult:
    run_id, path = message.identity(market)
    before = read_status(store, _rejection_id(message.delivery, market, store))
    if before is not None and before.state is State.REJECTED:
        return _reject_again(message.delivery, before, store, publisher, market=market)
    if before is None or before.run_id != run_id:
        before = read_status(store, run_id) if message.message.run_id else None
    if before is not None and not awaits_launch(before):
        return _again(before, store, publisher, launcher)
    try:
        check_age(message.delivery.published_at, max_age)
        request, config = message.request(store, run_id, market)
        new = create(store, path, request.to_json())
    except ConfigError as error:
        # An earlier delivery may have been accepted before the config changed or time passed.
        if earlier := _earlier(store, run_id, path):
            return _again(earlier, store, publisher, launcher)
        return _reject(message.delivery, error, store, publisher, market=market)
    if not new:
        if earlier := _earlier(store, run_id, path):
            return _again(earlier, store, publisher, launcher)
        # The key's object has only an id, as other versions and executions write it.
        request = request.model_copy(update={"run_id": runid.of_key(store, path)})
        if not create(store, layout.request(request.run_id), request.to_json()):
            raise TransientError(f"run {request.run_id} is being accepted by another delivery")
    status = launch_first(request, config, store=store, launcher=launcher)
    return _conclude(status, store, publisher, new=True)


def _again(
    earlier: Status | Request, store: Store, publisher: Publisher, launcher: Launcher
) -> MessageResult:
    """Return the result of a message that was accepted before; make sure that it is launched."""
    if isinstance(earlier, Request):
        earlier = launch_again(earlier, store=store, launcher=launcher)
    return _conclude(earlier, store, publisher, new=False)


def _earlier(store: Store, run_id: str, path: str) -> Status | Request | None:
    """Return what an earlier delivery stored: the status of a launched run, else its request.

    The status answers most repeated deliveries; a key is looked up only if there is none.
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


def _conclude(status: Status, store: Store, publisher: Publisher, *, new: bool) -> MessageResult:
    """Return the result of a run; if it ended instead of being launched, publish its end."""
    if status.state.is_terminal and status.error and status.error.step == STEP:
        _publish_end(store, publisher, status)
    return _result(status, new=new)


def _result(status: Status, *, new: bool, market: str | None = None) -> MessageResult:
    return MessageResult(
        run_id=status.run_id,
        state=status.state,
        new=new,
        market=status.market or market,
        execution=status.execution,
        problem=status.error.message if status.error else None,
    )


def _reject_again(
    delivery: Delivery,
    before: Status,
    store: Store,
    publisher: Publisher,
    market: str | None = None,
) -> MessageResult:
    """Answer with the stored rejection; complete it if the first delivery died in between."""
    said = before.error.message if before.error else "the message was rejected"
    return _reject(delivery, ConfigError(said), store, publisher, market=market)


def _rejection_id(delivery: Delivery, market: str | None, store: Store) -> str:
    """Return the id of a rejection, which the sender cannot choose."""
    key = runid.market_key(delivery.key, market)
    at = delivery.published_at
    return runid.make(key, at) if at else runid.for_key(store, key, now())


def _reject(
    delivery: Delivery,
    error: ConfigError,
    store: Store,
    publisher: Publisher,
    market: str | None = None,
) -> MessageResult:
    """End the message's run as REJECTED, and publish its event."""
    run_id = _rejection_id(delivery, market, store)
    body = delivery.data if delivery.data is not None else b""
    status = reject(
        store,
        run_id=run_id,
        body=body,
        attributes={
            **delivery.attributes,
            "message_id": delivery.message_id,
            "publish_time": delivery.publish_time,
            "topic": delivery.topic,
        },
        error=error,
    )
    if status.state is State.REJECTED:
        _publish_end(store, publisher, status)
    return _result(status, new=True, market=market)


def _publish_end(store: Store, publisher: Publisher, status: Status) -> None:
    with suppress(_TopicError):
        publish_end(store, _OutboxPublisher(publisher), status)


class _TopicError(Exception):
    """The topic is unreachable; the event is in the outbox, and `reconcile` publishes it."""


class _OutboxPublisher:
    """A publisher whose failures differ from the bucket's."""

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
