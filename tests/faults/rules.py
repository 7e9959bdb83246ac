"""What breaks in a seed: single calls, and what happens to the storage from a call on."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import unquote

from tests.fakes.proxy import Call, Fault, Kind
from tests.faults.plan import Broken, Damage, Plan

if TYPE_CHECKING:
    from tests.faults.scene import Scene

MANIFEST = re.compile(rb'"name": "[^"]*/manifest\.json"')


class Breaker:
    """Break the calls of a service that the plan names; log them in `injected`."""

    def __init__(self, name: str, broken: tuple[Broken, ...], injected: list[str]) -> None:
        self._name, self._injected = name, injected
        self._broken = {b.at: b for b in broken}
        self.more: list[Callable[[Call], Fault | None]] = []
        self.meanwhile: Callable[[], None] = lambda: None

    def __call__(self, call: Call) -> Fault | None:
        for rule in self.more:
            if fault := rule(call):
                return fault
        broken = self._broken.get(call.number)
        if broken is None:
            return None
        kind = self._kind(broken.kind, call)
        self._injected.append(
            f"{self._name} {call.number}: {kind} {call.method} {unquote(call.path)[:70]}"
        )
        return Fault(kind=kind, status=broken.status, seconds=0.3, meanwhile=self.meanwhile)

    def _kind(self, kind: Kind, call: Call) -> Kind:
        """Return a possible fault: only content has a checksum, and this process cannot die."""
        if kind is Kind.CORRUPT:
            upload = call.method == "POST" and "uploadType=multipart" in call.path
            content = upload or (call.method == "GET" and "alt=media" in call.path)
            return kind if content else Kind.STATUS
        if kind in (Kind.KILL_BEFORE, Kind.KILL_AFTER, Kind.STOP) and call.caller() is None:
            return Kind.CUT_AFTER if kind is Kind.KILL_AFTER else Kind.CUT_BEFORE
        return kind


def _spoil(one: Scene, damage: Damage) -> None:
    """Replace an object by other bytes."""
    info = one.direct_store.stat(damage.path)
    data = one.direct_store.read(damage.path).data if info else b'{"run_id": "20250101T0'
    one.direct_store.write(
        damage.path,
        {
            "torn": data[: len(data) // 2],
            "empty": b"",
            "newer": b'{"version": 9, "run_id": 1, "holder": 1, "runs": 1}',
            "older": b"[]",
            "binary": b"\xff\xfe\x00",
        }[damage.how],
    )
    one.injected.append(f"{damage.path} becomes {damage.how}")


def add_rules(plan: Plan, calls: Breaker, others: Breaker, one: Scene) -> None:
    """Add what the plan says to the calls of the job and to those of everybody else."""
    _refuse_manifest(plan, calls, one)
    _damage(plan, calls, one)
    _deny(plan, calls, others, one)
    _restart(plan, calls, others, one)


def _refuse_manifest(plan: Plan, calls: Breaker, one: Scene) -> None:
    if plan.refuses_manifest:

        def refuse(call: Call) -> Fault | None:
            if call.method == "POST" and MANIFEST.search(call.body[:600]):
                refusal = f"the bucket refuses the manifest: {plan.manifest_status}"
                if refusal not in one.injected:
                    one.injected.append(refusal)
                return Fault(kind=Kind.STATUS, status=plan.manifest_status)
            return None

        calls.more.append(refuse)


def _damage(plan: Plan, calls: Breaker, one: Scene) -> None:
    damage = plan.damage
    if damage is not None and damage.at is None:
        _spoil(one, damage)
    elif damage is not None:
        spoilt = threading.Event()

        def spoil(call: Call) -> None:
            if call.number >= (damage.at or 0) and not spoilt.is_set():
                spoilt.set()
                _spoil(one, damage)

        calls.more.append(spoil)


def _deny(plan: Plan, calls: Breaker, others: Breaker, one: Scene) -> None:
    if plan.denied_at is not None:
        until: list[float] = []

        def deny(call: Call) -> Fault | None:
            if not until and call.number >= (plan.denied_at or 0):
                until.append(time.monotonic() + plan.denied_seconds)
                one.injected.append(f"access denied for {plan.denied_seconds:g} s")
            return denied(call)

        def denied(call: Call) -> Fault | None:
            over = not until or time.monotonic() > until[0]
            return None if over else Fault(kind=Kind.STATUS, status=403)

        calls.more.append(deny)
        others.more.append(denied)


def _restart(plan: Plan, calls: Breaker, others: Breaker, one: Scene) -> None:
    if plan.restart_at is not None:
        begun, up = threading.Event(), threading.Event()

        def restart() -> None:
            one.storage.stop()
            time.sleep(plan.restart_seconds)
            one.storage.start()
            up.set()

        def unreachable(call: Call) -> Fault | None:
            return Fault(kind=Kind.CUT_BEFORE) if begun.is_set() and not up.is_set() else None

        def at_its_call(call: Call) -> Fault | None:
            if call.number >= (plan.restart_at or 0) and not begun.is_set():
                begun.set()
                where = f"the {plan.restart_by}'s call {call.number}"
                one.injected.append(
                    f"storage unreachable for {plan.restart_seconds:g} s from {where} on"
                )
                thread = threading.Thread(target=restart)
                one.stack.callback(thread.join)
                thread.start()
            return unreachable(call)

        first, second = (calls, others) if plan.restart_by == "job" else (others, calls)
        first.more.append(at_its_call)
        second.more.append(unreachable)
