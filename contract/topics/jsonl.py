"""A JSONL file as a topic: one Pub/Sub message per line, appended whole."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from contract.damage import unless_damaged
from contract.exceptions import DamagedError, ServiceError
from contract.stored import read_fields


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
            with self.path.open("ab+") as stream:
                fcntl.flock(stream, fcntl.LOCK_EX)
                stream.write(f"{_after(stream)}{line}\n".encode())
        except OSError as error:
            raise ServiceError(
                f"cannot append to the topic {self.path}: {error.strerror}"
            ) from None
        return message_id

    def messages(self) -> Iterator[dict[str, Any]]:
        """Yield all messages in the file, as Pub/Sub would deliver them.

        A line that is no message, such as one whose writer was killed, is left out with a warning.

        Raises:
            ServiceError: the file cannot be read.
        """
        try:
            with self.path.open("rb") as stream:
                fcntl.flock(stream, fcntl.LOCK_SH)  # no writer is in the middle of a line
                lines = stream.read().splitlines()
        except FileNotFoundError:
            return
        except OSError as error:
            raise ServiceError(f"cannot read the topic {self.path}: {error.strerror}") from None
        for number, line in enumerate(lines, start=1):
            message = unless_damaged(
                partial(_message, line, f"{self.path}, line {number}"),
                None,
                then="the line is left out",
            )
            if message is not None:
                yield message


def _after(stream: BinaryIO) -> str:
    """Return a line break if the file ends with a torn line, else nothing."""
    if stream.seek(0, os.SEEK_END) == 0:
        return ""
    stream.seek(-1, os.SEEK_END)
    return "" if stream.read(1) == b"\n" else "\n"


def _message(line: bytes, place: str) -> dict[str, Any] | None:
    """Return the message of a line, None for an empty line.

    Raises:
        DamagedError: the line is no message.
    """
    if not line.strip():
        return None
    fields = read_fields(line, "messageId", path=place)
    attributes = fields.get("attributes", {})
    if not isinstance(attributes, dict) or any(not isinstance(v, str) for v in attributes.values()):
        raise DamagedError(place, "`attributes` are not texts by name")
    return fields
