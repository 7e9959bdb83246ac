"""When each market runs next, by the jobs of Cloud Scheduler that publish to the requests topic."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from contract import layout
from contract.config import Config
from contract.exceptions import ConfigError
from contract.message import Message, parse_message
from contract.printable import short
from mmm.cloud.api import Api
from mmm.configs import StoredConfig

MOST = 2000  # jobs of Cloud Scheduler that are read
PAGE = "500"  # jobs in an answer, the service's most


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """A job of Cloud Scheduler that requests runs; `next_at` is None while it is paused."""

    name: str
    message: Message
    next_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Schedules:
    """The schedules of an installation.

    Attributes:
        found: those that request runs.
        problems: a sentence for each that cannot, and for what could not be read.
        otherwise: what to do for a market without a schedule, in a few words.
    """

    found: Sequence[Schedule] = ()
    problems: Sequence[str] = ()
    otherwise: str = "none: add it to `schedules`"


@dataclass(frozen=True, kw_only=True)
class NextRuns:
    """The next run of each market and revision, None if its schedules are paused."""

    times: dict[tuple[str, str], datetime | None]
    problems: list[str]
    otherwise: str

    def text(self, market: str, revision: str) -> str:
        """Return the time in UTC, or why there is none."""
        if (market, revision) not in self.times:
            return self.otherwise
        at = self.times[market, revision]
        return f"{at:%Y-%m-%d %H:%M}" if at else "its schedule is paused"


def scheduler_jobs(api: Api, place: str) -> Iterator[dict[str, Any]]:
    """Yield the jobs of Cloud Scheduler in `projects/P/locations/L`, page by page.

    Raises:
        DeniedError, ServiceError, TransientError: they cannot be read.
    """
    token = ""
    while True:
        page = api.get("cloudscheduler", f"v1/{place}/jobs", {"pageSize": PAGE, "pageToken": token})
        yield from page.get("jobs", [])
        if not (token := page.get("nextPageToken", "")):
            return


def read_schedules(api: Api, place: str, topic: str) -> Schedules:
    """Return the schedules that publish to a topic; at most MOST jobs are read.

    Raises:
        DeniedError, ServiceError, TransientError: they cannot be read.
    """
    found: list[Schedule] = []
    problems: list[str] = []
    jobs = scheduler_jobs(api, place)
    for job in islice(jobs, MOST):
        target = job.get("pubsubTarget", {})
        if target.get("topicName") != topic:
            continue
        name = short(job["name"].rpartition("/")[2])
        try:
            message = parse_message(b64decode(target.get("data", ""), validate=True))
        except (ConfigError, binascii.Error) as error:
            problems.append(f"the schedule `{name}` starts no run, its message is refused: {error}")
            continue
        at = job.get("scheduleTime") if job.get("state") == "ENABLED" else None
        found.append(
            Schedule(
                name=name,
                message=message,
                next_at=datetime.fromisoformat(at).astimezone(UTC) if at else None,
            )
        )
    if next(jobs, None) is not None:
        problems.append(f"`{place}` has more than {MOST} schedules; the others are not shown")
    return Schedules(found=found, problems=problems)


def next_runs(known: Schedules, configs: Sequence[StoredConfig], bucket: str) -> NextRuns:
    """Return when each market runs next: the earliest time of its schedules that are not paused.

    Args:
        known: The schedules.
        configs: The configs of the bucket, which say the markets of a schedule that names none.
        bucket: The address of the bucket.
    """
    stored = {f"{bucket}/{layout.config(one.name)}": one.config for one in configs if one.config}
    times: dict[tuple[str, str], datetime | None] = {}
    problems = list(known.problems)
    for one in known.found:
        places = _places(one.message, stored)
        if not places:
            problems.append(
                f"the schedule `{one.name}` names {_config(one.message)}, which is no valid config "
                "of this bucket; its markets are not known here"
            )
        for place in places:
            before = times.get(place)
            times[place] = min(filter(None, (before, one.next_at)), default=None)
    return NextRuns(times=times, problems=problems, otherwise=known.otherwise)


def _places(message: Message, stored: dict[str, Config]) -> list[tuple[str, str]]:
    """Return the markets of a message with their revision, as its runs will have them."""
    values = {**(message.config or {}), **message.overrides}
    if (config := stored.get(message.config_uri or "")) is not None:
        values = {"market": config.market, "revision": config.revision, **values}
    markets = message.markets or [str(values.get("market") or "")]
    revision = str(values.get("revision") or "")
    return [(market, revision) for market in markets if market and revision]


def _config(message: Message) -> str:
    return f"`{short(message.config_uri)}`" if message.config_uri else "a config without a market"
