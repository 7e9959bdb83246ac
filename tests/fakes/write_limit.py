"""Cloud Storage's limit: one create, update or delete a second of each object name, 429 beyond it.

https://cloud.google.com/storage/quotas and https://cloud.google.com/storage/docs/gcs429. The real
service lets short bursts pass; this one does not, so that no code depends on them.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from urllib.parse import parse_qs, unquote, urlsplit

SECONDS = 1.0

Answer = tuple[int, dict[str, str], bytes]


class WriteLimit:
    """The times of the last successful writes; it counts writes, refusals of each object, and reads."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self.refused: Counter[str] = Counter()
        self.written = self.reads = 0
        self._until: dict[str, float] = {}
        self._uploads: dict[str, str] = {}
        self._lock = threading.Lock()

    def admit(self, name: str) -> bool:
        """Return whether a write of an object may begin; if so, no other one may until `done`."""
        with self._lock:
            if time.monotonic() < self._until.get(name, 0.0):
                self.refused[name] += 1
                return False
            self._until[name] = float("inf")
            return True

    def done(self, name: str, *, changed: bool) -> None:
        """Record the end of a write; one that changed nothing does not count."""
        with self._lock:
            self.written += changed
            self._until[name] = time.monotonic() + self.seconds if changed else 0.0

    def call(self, method: str, url: str, body: bytes, send: Callable[[], Answer]) -> Answer:
        """Pass a request on, unless it writes an object too soon."""
        name = self._name(method, url, body)
        if name is None:
            with self._lock:
                self.reads += 1
            answer = send()
            self._note_upload(url, body, answer)
            return answer
        if not self.admit(name):
            return _refusal(name)
        changed = False
        try:
            answer = send()
            changed = 200 <= answer[0] < 300
        finally:
            self.done(name, changed=changed)
        return answer

    def _name(self, method: str, url: str, body: bytes) -> str | None:
        """Return the `bucket/object` that a request writes, None if it writes none."""
        parts = urlsplit(url)
        query = parse_qs(parts.query)
        if "/upload/" in parts.path:
            if "upload_id" in query:
                return self._uploads.get(query["upload_id"][0])
            resumable = query.get("uploadType") == ["resumable"]
            return None if method != "POST" or resumable else _uploaded(parts.path, query, body)
        found = re.search(r"/b/([^/]+)/o/([^/]+)", parts.path)
        return unquote("/".join(found.groups())) if found and method != "GET" else None

    def _note_upload(self, url: str, body: bytes, answer: Answer) -> None:
        """Remember the object of a resumable upload; its content comes in a later request."""
        location = next((v for k, v in answer[1].items() if k.lower() == "location"), "")
        for upload in parse_qs(urlsplit(location).query).get("upload_id", ()):
            parts = urlsplit(url)
            self._uploads[upload] = _uploaded(parts.path, parse_qs(parts.query), body)


def _uploaded(path: str, query: dict[str, list[str]], body: bytes) -> str:
    found = re.search(r"/b/([^/]+)/o", path)
    bucket = found.group(1) if found else ""
    if "name" in query:
        return f"{bucket}/{query['name'][0]}"
    start = body.find(b"{")
    metadata, _ = json.JSONDecoder().raw_decode(body[start:].decode("utf-8", "replace"))
    return f"{bucket}/{metadata['name']}"


def _refusal(name: str) -> Answer:
    message = (
        f"The object {name} exceeded the rate limit for object mutation operations (create, update, "
        "and delete). Please reduce your request rate."
    )
    reason = {"domain": "usageLimits", "reason": "rateLimitExceeded", "message": message}
    error = {"error": {"code": 429, "message": message, "errors": [reason]}}
    return 429, {"Content-Type": "application/json"}, json.dumps(error).encode()
