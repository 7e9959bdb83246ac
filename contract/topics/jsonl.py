"""A JSONL file as a topic: one Pub/Sub message per line, appended whole."""

from __future__ import annotations

import base64
import fcntl
import json
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from contract.exceptions import ServiceError


class FileTopic:
    """Messages in a file; every reader sees all of them."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()

    @property
    def topic(self) -> str:
        """The file's address."""
        return self.path.as_uri()

    def publish(self, data: bytes, attributes: Mapping[str, str]) -> str:
        """Append a message and return its id."""
        message_id = uuid.uuid4().hex
        line = json.dumps(
            {
                "messageId": message_id,
                "publishTime": datetime.now(UTC).isoformat(),
                "attributes": dict(attributes),
                "data": base64.b64encode(data).decode(),
            }
        )
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a") as stream:
                fcntl.flock(stream, fcntl.LOCK_EX)
                stream.write(f"{line}\n")
        except OSError as error:
            raise ServiceError(
                f"cannot append to the topic {self.path}: {error.strerror}"
            ) from None
        return message_id

    def messages(self) -> Iterator[dict[str, Any]]:
        """Yield all messages in the file, as Pub/Sub would deliver them."""
        if self.path.exists():
            with self.path.open() as stream:
                for line in stream:
                    yield json.loads(line)
