"""Eventarc: forwards the emulator's push as a binary CloudEvent and returns the status."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TYPE = "google.cloud.pubsub.topic.v1.messagePublished"


def headers(message: dict[str, Any], topic: str) -> dict[str, str]:
    """Return the CloudEvent headers that Eventarc adds to a message."""
    return {
        "Content-Type": "application/json",
        "ce-id": str(message["messageId"]),
        "ce-source": f"//pubsub.googleapis.com/{topic}",
        "ce-specversion": "1.0",
        "ce-type": TYPE,
        "ce-time": str(message["publishTime"]),
    }


def post(url: str, body: bytes, more: dict[str, str], *, timeout: float = 60.0) -> int:
    """POST and return the status; 502 if the server does not answer."""
    request = urllib.request.Request(url, data=body, headers=more, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return 502


class Relay:
    """A relay from a push subscription to the function; `statuses` has the function's answers."""

    def __init__(self, function_url: str, topic: str) -> None:
        self.function_url, self.topic = function_url, topic
        self.statuses: list[int] = []
        relay = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                return

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                message = json.loads(body)["message"]
                status = post(relay.function_url, body, headers(message, relay.topic))
                relay.statuses.append(status)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    @contextmanager
    def running(self) -> Iterator[Relay]:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
