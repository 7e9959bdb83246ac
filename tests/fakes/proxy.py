"""A proxy that breaks calls on purpose: before or after they take effect, by delay or by change."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import psutil

from tests.fakes.write_limit import Answer


class Kind(StrEnum):
    """The kinds of faults."""

    STATUS = "status"  # the proxy answers with an error and forwards nothing
    CUT_BEFORE = "cut_before"  # the connection breaks; nothing is forwarded
    CUT_AFTER = "cut_after"  # the call takes effect; the answer is lost
    DELAY = "delay"  # the call takes effect late
    CORRUPT = "corrupt"  # one bit of the content changes, in the request or in the answer
    KILL_BEFORE = "kill_before"  # the caller gets SIGKILL; nothing is forwarded
    KILL_AFTER = "kill_after"  # the call takes effect, then the caller gets SIGKILL
    STOP = "stop"  # the caller is stopped, and continues with the call later


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One broken call; `meanwhile` runs while a caller is stopped."""

    kind: Kind
    status: int = 503
    seconds: float = 0.0
    meanwhile: Callable[[], None] = lambda: None


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request; `path` includes the query, `ends` are the ports of caller and proxy."""

    number: int
    method: str
    path: str
    body: bytes
    ends: tuple[int, int]

    def caller(self) -> int | None:
        """Return the calling process, None if it is this one or has ended."""
        for end in psutil.net_connections("tcp"):
            # Compare both ends: a connection to another port may have the same local port.
            ports = (end.laddr.port, end.raddr.port) if end.laddr and end.raddr else None
            if ports == self.ends and end.pid not in (None, os.getpid()):
                return end.pid
        return None


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request as the upstream gets it; the names of the headers are in small letters."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Decide = Callable[[Call], Fault | None]


class Proxy:
    """A proxy between a client and `upstream`; `decide` returns the fault of each call."""

    def __init__(self, upstream: str, decide: Decide = lambda call: None) -> None:
        self.upstream = urlsplit(upstream)
        self.decide = decide
        self.calls: list[Call] = []
        self._lock = threading.Lock()
        proxy = self

        class Handler(_Handler):
            owner = proxy

        self._server = _Server(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @contextmanager
    def running(self) -> Iterator[Proxy]:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()

    def note(self, method: str, path: str, body: bytes, port: int) -> tuple[Call, Fault | None]:
        """Number a call and decide its fault."""
        with self._lock:
            ends = (port, int(self._server.server_port))
            call = Call(number=len(self.calls), method=method, path=path, body=body, ends=ends)
            self.calls.append(call)
            return call, self.decide(call)

    def refuse_or_send(self, request: Request, send: Callable[[], Answer]) -> Answer:
        """Answer a request that the upstream would wrongly accept; this proxy sends all of them."""
        return send()


def once(fault: Fault, *, method: str, containing: str) -> Decide:
    """Break the first call that matches."""
    remaining = [1]

    def decide(call: Call) -> Fault | None:
        if remaining[0] and call.method == method and containing in call.path:
            remaining[0] -= 1
            return fault
        return None

    return decide


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_: Any) -> None:
        return  # connections are cut on purpose


class _Handler(BaseHTTPRequestHandler):
    owner: Proxy
    disable_nagle_algorithm = True  # headers and body are two writes
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        return

    def do_GET(self) -> None:
        self._pass()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_GET  # noqa: N815  http.server's names

    def _pass(self) -> None:
        body = self._body()
        call, fault = self.owner.note(self.command, self.path, body, self.client_address[1])
        if fault is None:
            self._give(*self._forward(body))
        elif fault.kind is Kind.STATUS:
            error = {"error": {"code": fault.status, "message": "injected fault"}}
            self._give(
                fault.status, {"Content-Type": "application/json"}, json.dumps(error).encode()
            )
        elif fault.kind is Kind.CUT_BEFORE:
            self._cut()
        elif fault.kind is Kind.CUT_AFTER:
            self._forward(body)
            self._cut()
        elif fault.kind is Kind.DELAY:
            time.sleep(fault.seconds)
            self._give(*self._forward(body))
        elif fault.kind in (Kind.KILL_BEFORE, Kind.KILL_AFTER):
            if fault.kind is Kind.KILL_AFTER:
                self._forward(body)
            _signal(call.caller(), signal.SIGKILL)
            self._cut()
        elif fault.kind is Kind.STOP:
            caller = call.caller()
            _signal(caller, signal.SIGSTOP)
            fault.meanwhile()
            time.sleep(fault.seconds)
            _signal(caller, signal.SIGCONT)
            self._give(*self._forward(body))
        elif body:
            self._give(*self._forward(_corrupt(body)))
        else:
            status, headers, answer = self._forward(body)
            self._give(status, headers, _corrupt(answer))

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _forward(self, body: bytes) -> Answer:
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(method=self.command, path=self.path, headers=headers, body=body)
        return self.owner.refuse_or_send(request, lambda: self._send(body))

    def _send(self, body: bytes) -> Answer:
        upstream = self.owner.upstream
        connection = http.client.HTTPConnection(upstream.hostname or "", upstream.port, timeout=120)
        dropped = {"transfer-encoding", "content-length", "connection"}
        headers = {k: v for k, v in self.headers.items() if k.lower() not in dropped}
        headers["Content-Length"] = str(len(body))
        try:
            connection.request(self.command, self.path, body=body, headers=headers)
            response = connection.getresponse()
            answer = response.read()
            kept = {k: v for k, v in response.getheaders() if k.lower() not in dropped}
            if self.command == "HEAD":
                kept["Content-Length"] = response.getheader("Content-Length", "0")
            return response.status, kept, answer
        except OSError:
            error = {
                "error": {"code": 503, "message": "the server behind the proxy is unreachable"}
            }
            return 503, {"Content-Type": "application/json"}, json.dumps(error).encode()
        finally:
            connection.close()

    def _give(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _cut(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)


def _signal(pid: int | None, number: int) -> None:
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def content_of(body: bytes) -> tuple[int, int]:
    """Return where the content of an upload begins and ends in a request's body."""
    if not body.startswith(b"--"):
        return 0, len(body)
    # The first part has the object's metadata, the second its content.
    first = body.find(b"\r\n\r\n", body.find(b"\r\n\r\n") + 4) + 4
    return first, body.rfind(b"\r\n--")


def _corrupt(body: bytes) -> bytes:
    """Return the body with one bit flipped; of an upload, one bit of its content."""
    first, last = content_of(body)
    middle = (first + max(last, first + 1)) // 2
    return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :] if body else body
