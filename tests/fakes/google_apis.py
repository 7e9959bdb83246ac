"""Google's REST APIs for reading resources and testing permissions, over HTTP on this machine.

A resource is a document at `SERVICE/PATH`. Each account has its permissions; a caller is known by
its token. As in the real APIs, what is not there is 404, what a caller may not read is 403 with the
permission's name, and a call without a token is 401.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

CALLER = "token-of-the-caller"


@dataclass
class FakeGoogle:
    """The resources by address, and what each account may do (`permissions` by token)."""

    resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    enabled: set[str] = field(default_factory=set)
    permissions: dict[str, set[str]] = field(default_factory=dict)
    denied: dict[str, str] = field(default_factory=dict)  # address: permission
    impersonable: bool = True
    busy: Counter[str] = field(default_factory=Counter)  # address: answers of 503 to come
    port: int = 0

    def base(self, service: str) -> str:
        """Return the address of a service."""
        return f"http://127.0.0.1:{self.port}/{service}"

    def answer(
        self, method: str, address: str, query: dict[str, list[str]], body: Any, token: str
    ) -> tuple[int, Any]:
        """Return the status and the answer of a call."""
        if token != CALLER and token not in self.permissions:
            return _error(401, "Request had invalid authentication credentials.")
        if self.busy[address]:
            self.busy[address] -= 1
            return _error(503, "The service is currently unavailable.")
        if permission := self.denied.get(address):
            return _error(
                403, f"Permission '{permission}' denied on resource (or it may not exist)."
            )
        if address.endswith("/services:batchGet"):
            states = [
                {
                    "name": n,
                    "state": "ENABLED" if n.rpartition("/")[2] in self.enabled else "DISABLED",
                }
                for n in query["names"]
            ]
            return (200, {"services": states}) if len(states) <= 30 else _error(400, "Too many.")
        if address.endswith(":generateAccessToken"):
            email = address.rpartition("/")[2].partition(":")[0]
            if not self.impersonable:
                return _error(403, "Permission 'iam.serviceAccounts.getAccessToken' denied.")
            return 200, {"accessToken": email, "expireTime": "2026-11-28T00:00:00Z"}
        if address.endswith((":testIamPermissions", "/iam/testPermissions")):
            resource = address.removesuffix(":testIamPermissions").removesuffix(
                "/iam/testPermissions"
            )
            if resource not in self.resources:
                return _error(404, "Not found.")
            asked = body["permissions"] if body else query["permissions"]
            held = [p for p in asked if p in self.permissions.get(token, ())]
            return 200, {"permissions": held} if held else {}
        if method == "GET" and address in self.resources:
            return 200, self.resources[address]
        return _error(404, "Resource not found.")


def _error(code: int, message: str) -> tuple[int, Any]:
    return code, {"error": {"code": code, "message": message}}


@contextmanager
def running() -> Iterator[FakeGoogle]:
    """Serve until the block ends."""
    google = FakeGoogle()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size)) if size else None
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            status, answer = google.answer(
                self.command, unquote(url.path).strip("/"), parse_qs(url.query), body, token
            )
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_GET  # noqa: N815  http.server's name

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    google.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield google
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
