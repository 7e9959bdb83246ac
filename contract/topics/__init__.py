"""Topics: Pub/Sub (`projects/P/topics/T`) or a JSONL file."""

from __future__ import annotations

from pathlib import Path

from contract.topics.base import Publisher

__all__ = ["Publisher", "open_topic"]


def open_topic(name: str) -> Publisher:
    """Return a topic for `projects/P/topics/T` or the path of a JSONL file."""
    if name.startswith("projects/"):
        from contract.topics.pubsub import PubSubTopic  # slow to import, and files do not need it

        return PubSubTopic.connect(name)
    from contract.topics.jsonl import FileTopic

    return FileTopic(Path(name.removeprefix("file://")))
