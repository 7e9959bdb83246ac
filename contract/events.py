"""Completion events: CloudEvents 1.0, stored under the run first, then published, then marked.

Both are objects that are written once, because a bucket takes one write a second of each object.
Consumers drop duplicates by the event's id, which depends only on run id and type. The schema is
`docs/event.schema.json`.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Self

from pydantic import Field

from contract import layout
from contract.base import Strict, canonical_json, sha256_hex
from contract.damage import unless_damaged, warn
from contract.exceptions import DamagedError, NotFoundError
from contract.facts import (
    BestModelFacts,
    CostFacts,
    DriftFacts,
    QualityFacts,
    VerdictFacts,
)
from contract.run import RunError, State, now
from contract.stored import Moment, Stored
from contract.stores.atomic import create, update
from contract.stores.base import Blob, Store
from contract.topics.base import Publisher


class EventData(Strict):
    """The result of a run, as its event reports it."""

    run_id: str = Field(description="The run; also the event's subject.")
    state: State = Field(description="The state in which the run ended.")
    market: str | None = Field(default=None, description="Null if the config was not readable.")
    revision: str | None = Field(default=None, description="Null if the config was not readable.")
    artifacts_uri: str | None = Field(
        default=None, description="The folder of artifacts, of the other run for a DUPLICATE."
    )
    report_uri: str | None = Field(default=None, description="The report.")
    summary_uri: str | None = Field(default=None, description="The summary, one side of paper.")
    manifest_sha256: str | None = Field(default=None, description="The hash of `manifest.json`.")
    engine: str | None = Field(default=None, description="robyn or builtin.")
    verdict: VerdictFacts | None = Field(
        default=None, description="Whether the result may be used; null without a result."
    )
    best_model: BestModelFacts | None = Field(
        default=None, description="The content of `metrics.json`; null without a result."
    )
    data_quality: QualityFacts | None = Field(
        default=None, description="The checks of the data; null if none was read."
    )
    drift: DriftFacts | None = Field(
        default=None, description="The run beside the market's current one; null without a result."
    )
    duplicate_of: str | None = Field(default=None, description="The run that computed the same.")
    duration_seconds: float | None = None
    cost: CostFacts | None = Field(default=None, description="Estimated and actual cost.")
    warnings: list[str] = Field(default=[], description="At most 20.")
    error: RunError | None = Field(default=None, description="Why there is no result.")


class Event(Strict):
    """A CloudEvents 1.0 envelope."""

    specversion: str = "1.0"
    id: str = Field(description="Equal for each delivery of one event: drop those you have seen.")
    source: str = "//mmm-trainer"
    type: str = Field(description="`mmm.run.` and the state in lower case.")
    subject: str = Field(description="The run's id.")
    time: Moment = Field(description="When the run ended.")
    datacontenttype: str = "application/json"
    data: EventData

    @classmethod
    def of(cls, data: EventData, *, at: datetime | None = None) -> Self:
        """Return the event of a run's state."""
        kind = f"mmm.run.{data.state.value.lower()}"
        return cls(
            id=event_id(data.run_id, kind),
            type=kind,
            subject=data.run_id,
            time=at or now(),
            data=data,
        )

    def to_json(self) -> bytes:
        """Return the published form (structured CloudEvent)."""
        return canonical_json(self.model_dump(mode="json"))

    def attributes(self) -> dict[str, str]:
        """Return message attributes for subscription filters."""
        attributes = {
            "ce-id": self.id,
            "ce-source": self.source,
            "ce-specversion": self.specversion,
            "ce-type": self.type,
            "ce-subject": self.subject,
            "ce-time": self.time.isoformat(),
            "content-type": "application/cloudevents+json",
            "type": self.type,
            "run_id": self.data.run_id,
            "state": self.data.state.value,
            "market": self.data.market or "",
            "revision": self.data.revision or "",
        }
        return {key: value for key, value in attributes.items() if value}


class Outbox(Stored):
    """An event to publish: `runs/<run id>/events/<event id>.json`, written once.

    Its publication is an object of its own, `runs/<run id>/published/<event id>.json`. Version 0.2
    wrote `published_at` here instead.
    """

    event: Event
    published_at: Moment | None = None


def event_id(run_id: str, kind: str) -> str:
    """Return the id of a run's event; equal for equal run and type."""
    return sha256_hex(f"{run_id}|{kind}".encode())[:32]


def put(store: Store, event: Event) -> None:
    """Store an event in its run's outbox; an event that already exists does not change.

    One that is damaged is written again, and is then published again, with the same id.
    """
    path, new = layout.event(event.subject, event.id), Outbox(event=event).to_json()

    def mend(old: Blob | None) -> bytes | None:
        if old is None:
            return new
        try:
            Outbox.from_json(old.data, path=path)
        except DamagedError as error:
            warn(error, then="it is written again from the run's status")
            return new
        return None

    if not create(store, path, new):
        update(store, path, mend)


def flush(store: Store, publisher: Publisher, run_id: str) -> int:
    """Publish the unpublished events of a run's outbox; return their number.

    Raises:
        TransientError, ServiceError: the topic cannot be reached; the event stays in the outbox.
    """
    published = 0
    for info in list(store.list(layout.events(run_id))):
        try:
            entry = unless_damaged(partial(_entry, store, info.path), None, then="it is left out")
        except NotFoundError:
            continue
        if entry is None:
            continue
        mark = layout.published(run_id, entry.event.id)
        if entry.published_at is not None or store.stat(mark) is not None:
            continue
        publisher.publish(entry.event.to_json(), entry.event.attributes())
        published += create(store, mark, canonical_json({"published_at": now().isoformat()}))
    return published


def _entry(store: Store, path: str) -> Outbox:
    return Outbox.from_json(store.read(path).data, path=path)
