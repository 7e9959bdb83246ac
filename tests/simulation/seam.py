"""The one place where production code meets the simulation: its modules' clocks, threads and draws.

`install` replaces the names `time`, `threading`, `random`, `uuid` and `datetime` in the modules of
the control plane, and in the retries of Google's clients. The code itself stays as it is.
"""

from __future__ import annotations

import datetime as real_datetime
import importlib
import logging
import pkgutil
import random as real_random
import sys
import threading as real_threading
import time as real_time
import uuid as real_uuid
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import google.api_core.retry.retry_base
import google.api_core.retry.retry_unary

from tests.simulation.loop import Loop

PACKAGES = ("contract", "job", "trigger", "mmm")
GOOGLE = (google.api_core.retry.retry_base, google.api_core.retry.retry_unary)
_current: list[Loop] = []


def loop() -> Loop:
    """Return the loop of the seed that is being played."""
    return _current[-1]


class _IsDatetime(type):
    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, real_datetime.datetime)


class _Datetime(real_datetime.datetime, metaclass=_IsDatetime):
    """`datetime` with the clock of the process that asks."""

    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return loop().time(loop().process.skew)


class _Stops:
    """The signals of the process that asks (`job.runtime.signals`)."""

    def __getattr__(self, name: str) -> Any:
        return getattr(loop().process.stop, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(loop().process.stop, name, value)


@contextmanager
def stop_on_signal() -> Iterator[None]:
    """Stand for `job.runtime.signals.stop_on_signal`, without the system's handlers."""
    loop().process.stop.active = True
    try:
        yield
    finally:
        loop().process.stop.active = False


def import_all(package: str) -> None:
    """Import a package with all its modules, except those that are programs."""
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


@contextmanager
def installed() -> Iterator[None]:
    """Replace clocks, threads and draws in every module of the control plane.

    All modules are imported first: one that is imported later, inside a function, would keep the
    real clock.
    """
    from job.runtime import signals
    from tests.simulation import threads

    for package in PACKAGES:
        import_all(package)
    time = SimpleNamespace(
        monotonic=lambda: loop().now,
        time=lambda: loop().time(loop().process.skew).timestamp(),
        sleep=lambda seconds: loop().pause(seconds),
    )
    random = SimpleNamespace(
        uniform=lambda low, high: low + (high - low) * loop().random.random(),
    )
    uuid = SimpleNamespace(
        uuid4=lambda: real_uuid.UUID(int=loop().random.getrandbits(128), version=4)
    )
    process = SimpleNamespace(
        getpid=lambda: 0, kill=lambda pid, sign: loop().signal(loop().process, "SIGTERM")
    )
    pool, wait = threads.ThreadPoolExecutor, threads.wait
    by_name = {"ThreadPoolExecutor": pool, "wait": wait, "stop_on_signal": stop_on_signal}
    by_module = {
        real_time: time,
        real_random: random,
        real_uuid: uuid,
        real_threading: threads.threading,
    }
    undo: list[tuple[Any, str, Any]] = []

    def put(module: Any, name: str, value: Any) -> None:
        undo.append((module, name, getattr(module, name)))
        setattr(module, name, value)

    ours = [m for n, m in sys.modules.items() if n.split(".")[0] in PACKAGES]
    for module in [*ours, *GOOGLE]:
        for name, value in list(vars(module).items()):
            if isinstance(value, type(real_time)) and value in by_module:
                put(module, name, by_module[value])
            elif value is real_datetime.datetime and module in ours:
                put(module, name, _Datetime)
            elif name in by_name and getattr(value, "__module__", "").split(".")[0] in (
                "concurrent",
                "job",
            ):
                put(module, name, by_name[name])
    put(signals, "_stop", _Stops())
    put(signals, "os", process)
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
        for module, name, value in reversed(undo):
            setattr(module, name, value)


@contextmanager
def playing(one: Loop) -> Iterator[Loop]:
    """Let the production code run on a loop."""
    _current.append(one)
    try:
        yield one
    finally:
        one.close()
        _current.pop()
