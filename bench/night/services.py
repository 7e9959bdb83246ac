"""What delivers and what is asked: a push subscription, executions as threads, a warehouse."""

from __future__ import annotations

import base64
import heapq
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from mmm.local.tasks import LocalExecution, Task
from tests.fakes import eventarc

Work = Callable[[Mapping[str, str]], int]


@dataclass(order=True)
class _Delivery:
    at: float
    message: dict[str, Any] = field(compare=False)
    attempt: int = field(default=1, compare=False)


class Push:
    """A push subscription: slow start, acknowledge deadline, back-off, dead letters.

    The window of requests at once begins at 3. It doubles when all of a window succeeded, and is
    halved by a failure, as Pub/Sub describes its flow control in words; the figures are ours.
    """

    def __init__(
        self, url: str, *, deadline: float, backoff: tuple[float, float], attempts: int = 10
    ) -> None:
        self._url, self._deadline, self._backoff = url, deadline, backoff
        self._attempts = attempts
        self._queue: list[_Delivery] = []
        self._lock = threading.Condition()
        self._window, self._out, self._succeeded = 3.0, 0, 0
        self._stopped = False
        self.deliveries = self.failures = 0
        self.widest = 3.0
        self.dead: list[str] = []

    def publish(self, data: Mapping[str, Any], **attributes: str) -> None:
        """Publish a request."""
        at = datetime.now(UTC)
        with self._lock:
            number = len(self._queue) + self.deliveries + 1
            message = {
                "data": base64.b64encode(json.dumps(data).encode()).decode(),
                "attributes": attributes, "messageId": f"{number:09d}{at:%f}",
                "publishTime": at.isoformat().replace("+00:00", "Z"),
            }  # fmt: skip
            heapq.heappush(self._queue, _Delivery(time.monotonic(), message))
            self._lock.notify()

    def deliver(self) -> None:
        """Deliver until `stop`."""
        with ThreadPoolExecutor(64) as pool:
            while not self._stopped:
                with self._lock:
                    due = self._queue and self._queue[0].at <= time.monotonic()
                    if not due or self._out >= self._window:
                        self._lock.wait(0.02)
                        continue
                    one = heapq.heappop(self._queue)
                    self._out += 1
                    self.deliveries += 1
                pool.submit(self._send, one)

    def stop(self) -> None:
        """Deliver nothing more."""
        self._stopped = True

    @property
    def is_empty(self) -> bool:
        """Return whether every message was acknowledged or is a dead letter."""
        with self._lock:
            return not self._queue and not self._out

    def _send(self, one: _Delivery) -> None:
        body = json.dumps({"message": one.message, "subscription": "projects/p/subscriptions/s"})
        more = {"Content-Type": "application/json"}
        status = eventarc.post(self._url, body.encode(), more, timeout=self._deadline)
        acknowledged = 200 <= status < 300
        with self._lock:
            self._out -= 1
            self._adjust(acknowledged)
            if not acknowledged and one.attempt >= self._attempts:
                self.dead.append(one.message["messageId"])
            elif not acknowledged:
                low, high = self._backoff
                wait = min(low * 2 ** (one.attempt - 1), high)
                again = _Delivery(time.monotonic() + wait, one.message, one.attempt + 1)
                heapq.heappush(self._queue, again)

    def _adjust(self, acknowledged: bool) -> None:
        if not acknowledged:
            self.failures += 1
            self._window, self._succeeded = max(3.0, self._window / 2), 0
            return
        self._succeeded += 1
        if self._succeeded >= self._window:
            self._window, self._succeeded = min(self._window * 2, 1000.0), 0
            self.widest = max(self.widest, self._window)


class Warehouse:
    """Snowflake's `MAX_CONCURRENCY_LEVEL`: further statements of a warehouse wait in its queue."""

    def __init__(self, at_once: int, seconds: float) -> None:
        self._slots, self._seconds = threading.Semaphore(at_once), seconds
        self._lock = threading.Lock()
        self.statements = 0
        self.first = self.last = 0.0
        self.longest_wait = 0.0

    def query(self) -> None:
        """Run a statement: wait for a slot, then for the result."""
        asked = time.monotonic()
        with self._slots:
            began = time.monotonic()
            time.sleep(self._seconds)
            with self._lock:
                self.statements += 1
                self.first = self.first or began
                self.last = time.monotonic()
                self.longest_wait = max(self.longest_wait, began - asked)


class Executions:
    """Makes executions whose tasks are threads that call `work`, after a cold start.

    This machine works on `workers` of them at a time. The others have begun and count as running,
    but wait for the machine. `longest_wait` is the longest of these waits in seconds, and
    `last_end` the time at which the last attempt would have ended without its wait.
    """

    def __init__(self, work: Work, *, cold_start: float, workers: int) -> None:
        self._work, self._cold_start = work, cold_start
        self._machine = threading.Semaphore(workers)
        self.most = 0
        self.longest_wait = self.last_end = 0.0
        self._running = 0
        self._lock = threading.Lock()

    def __call__(self, **given: Any) -> LocalExecution:
        """Make an execution of the arguments of `LocalExecution`."""
        owner = self

        class Execution(LocalExecution):
            def _attempt(self, task: Task) -> None:
                with owner._counted(), owner._at_work():
                    time.sleep(owner._cold_start)
                    env = {
                        **self.env, "execution": self.short_name, "attempt": str(task.attempt),
                        "task_index": str(task.index), "task_count": str(self.task_count),
                        "max_retries": str(self.max_retries),
                    }  # fmt: skip
                    task.exit_code = owner._work(env)

        return Execution(**given)

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        begun = time.monotonic()
        with self._machine:
            waited = time.monotonic() - begun
            try:
                yield
            finally:
                with self._lock:
                    self.longest_wait = max(self.longest_wait, waited)
                    self.last_end = max(self.last_end, time.monotonic() - waited)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._lock:
            self._running += 1
            self.most = max(self.most, self._running)
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1
