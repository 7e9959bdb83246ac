"""The parts of `threading` and `concurrent.futures` that the production code uses, on the loop."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from types import SimpleNamespace
from typing import Any

from tests.simulation import seam
from tests.simulation.loop import Thread as Greenlet


class Event:
    """`threading.Event`."""

    def __init__(self) -> None:
        self._on = False
        self._waiting: list[Greenlet] = []

    def is_set(self) -> bool:
        return self._on

    def set(self) -> None:
        self._on = True
        for one in self._waiting:
            seam.loop().wake(one)
        self._waiting = []

    def wait(self, timeout: float | None = None) -> bool:
        loop = seam.loop()
        until = None if timeout is None else loop.now + timeout
        while not self._on:
            if until is not None and loop.now >= until:
                break
            assert loop.thread is not None
            self._waiting.append(loop.thread)
            loop.wait(None if until is None else until - loop.now)
        return self._on


class Lock:
    """`threading.Lock` as a context manager."""

    def __init__(self) -> None:
        self._held = False
        self._waiting: deque[Greenlet] = deque()

    def __enter__(self) -> bool:
        loop = seam.loop()
        while self._held:
            assert loop.thread is not None
            self._waiting.append(loop.thread)
            loop.wait()
        self._held = True
        return True

    def __exit__(self, *_: object) -> None:
        self._held = False
        while self._waiting:
            seam.loop().wake(self._waiting.popleft())


class Thread:
    """`threading.Thread`."""

    def __init__(
        self,
        *,
        target: Callable[..., Any],
        args: Iterable[Any] = (),
        name: str = "",
        daemon: bool = True,
    ) -> None:
        self._work = lambda: target(*args)
        self._thread: Greenlet | None = None

    def start(self) -> None:
        self._thread = seam.loop().start(seam.loop().process, self._work)

    def is_alive(self) -> bool:
        return self._thread is not None and not self._thread.over

    def join(self, timeout: float | None = None) -> None:
        loop = seam.loop()
        until = None if timeout is None else loop.now + timeout
        while self._thread is not None and not self._thread.over:
            if until is not None and loop.now >= until:
                return
            assert loop.thread is not None
            self._thread.joiners.append(loop.thread)
            loop.wait(None if until is None else until - loop.now)


class Timer(Thread):
    """`threading.Timer`."""

    def __init__(
        self, interval: float, function: Callable[..., Any], args: Iterable[Any] = ()
    ) -> None:
        self.daemon, self._off = True, Event()

        def later() -> None:
            if not self._off.wait(interval):
                function(*args)

        super().__init__(target=later)

    def cancel(self) -> None:
        self._off.set()


class _Future:
    def __init__(self, work: Callable[[], Any]) -> None:
        self.work, self.done = work, Event()
        self.value: Any = None
        self.error: Exception | None = None
        self.cancelled = False

    def run(self) -> None:
        try:
            self.value = self.work()
        except Exception as error:  # raised again by `result`
            self.error = error
        self.done.set()

    def result(self) -> Any:
        self.done.wait()
        if self.error is not None:
            raise self.error
        return self.value


class ThreadPoolExecutor:
    """`concurrent.futures.ThreadPoolExecutor`."""

    def __init__(self, max_workers: int = 8, thread_name_prefix: str = "") -> None:
        self._free, self._queue = max_workers, deque[_Future]()
        self._all: list[_Future] = []

    def __enter__(self) -> ThreadPoolExecutor:
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()

    def submit(self, function: Callable[..., Any], *args: Any) -> _Future:
        future = _Future(lambda: function(*args))
        self._all.append(future)
        self._queue.append(future)
        if self._free:
            self._free -= 1
            Thread(target=self._work).start()
        return future

    def map(self, function: Callable[..., Any], items: Iterable[Any]) -> Iterator[Any]:
        futures = [self.submit(function, item) for item in items]
        return (future.result() for future in futures)

    def shutdown(self, *, wait: bool = True, cancel_futures: bool = False) -> None:
        if cancel_futures:
            for future in self._queue:
                future.cancelled = True
                future.done.set()
            self._queue.clear()
        if wait:
            for future in self._all:
                future.done.wait()

    def _work(self) -> None:
        while self._queue:
            self._queue.popleft().run()
        self._free += 1


def wait(futures: Iterable[_Future], timeout: float) -> None:
    """`concurrent.futures.wait`."""
    until = seam.loop().now + timeout
    for future in futures:
        future.done.wait(max(0.0, until - seam.loop().now))


threading = SimpleNamespace(Event=Event, Lock=Lock, Thread=Thread, Timer=Timer)
