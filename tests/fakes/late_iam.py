"""Grants that come into force late: a service answers 403 for some time after its first call.

Google says that a change of access takes minutes. Each caller of each service has a gate of its own,
so services that are called one after the other are denied one after the other.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import grpc

from tests.fakes import grpc_proxy
from tests.fakes.proxy import Answer, Call, Fault, Proxy, Request

STORAGE = "storage.objects.get"
RUN = "run.jobs.runWithOverrides"
PUBLISH = "pubsub.topics.publish"


@dataclass
class Gate:
    """Closed for `seconds` after its first call; `denied` counts the calls until then."""

    permission: str
    seconds: float
    denied: int = 0
    _until: float | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def refusal(self) -> str | None:
        """Return why a call is denied, None if the grant is in force."""
        with self._lock:
            if self._until is None:
                self._until = time.monotonic() + self.seconds
            if time.monotonic() >= self._until:
                return None
            self.denied += 1
        return f"Permission '{self.permission}' denied on resource (or it may not exist)."


class LateAccess(Proxy):
    """An HTTP service behind a gate."""

    def __init__(self, upstream: str, gate: Gate) -> None:
        super().__init__(upstream)
        self.gate = gate

    def refuse_or_send(self, request: Request, send: Callable[[], Answer]) -> Answer:
        refusal = self.gate.refusal()
        if refusal is None:
            return send()
        error = {"error": {"code": 403, "message": refusal, "status": "PERMISSION_DENIED"}}
        return 403, {"Content-Type": "application/json"}, json.dumps(error).encode()

    def note(self, method: str, path: str, body: bytes, port: int) -> tuple[Call, Fault | None]:
        return Call(number=0, method=method, path=path, body=body, ends=(port, 0)), None


@contextmanager
def grpc_behind(host: str, gate: Gate) -> Iterator[str]:
    """Pass unary calls on to a gRPC service behind a gate; yields the address."""

    def check(method: str, request: bytes) -> grpc_proxy.Refusal | None:
        refusal = gate.refusal()
        return (grpc.StatusCode.PERMISSION_DENIED, refusal) if refusal else None

    with grpc_proxy.passed_on(host, check) as address:
        yield address
