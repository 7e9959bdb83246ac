"""When each market runs next, by Cloud Scheduler's answers over HTTP."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest
from google.auth.transport.requests import AuthorizedSession
from google.oauth2.credentials import Credentials

from app import reads
from contract import environment
from contract.stores.folder import FolderStore
from mmm import configs
from mmm.cloud import schedules
from mmm.cloud.api import Api
from tests.fakes import google_apis
from tests.fakes.google_apis import CALLER, FakeGoogle
from tests.unit.app.conftest import Open, says

PLACE = "projects/p/locations/europe-west1"
JOBS = f"cloudscheduler/v1/{PLACE}/jobs"


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGoogle]:
    """Cloud Scheduler, as the console's account sees it."""
    monkeypatch.setenv(environment.JOB, f"{PLACE}/jobs/mmm-train")
    monkeypatch.setattr(reads, "PATIENCE", 60.0)
    with google_apis.running() as running:
        api = Api(AuthorizedSession(Credentials(CALLER)), base=running.base)  # type: ignore[no-untyped-call]
        monkeypatch.setattr(Api, "connect", lambda: api)
        yield running


def job(store: FolderStore, name: str, message: Any, at: str | None, **fields: Any) -> Any:
    """A job of Cloud Scheduler that publishes to the console's topic of requests."""
    data = message if isinstance(message, str) else json.dumps(message)
    topic = (store.root.parent / "requests.jsonl").resolve().as_uri()
    target = {"topicName": topic, "data": b64encode(data.encode()).decode()}
    times = {"scheduleTime": at} if at else {}
    state = {"state": "ENABLED" if at else "PAUSED"}
    return {"name": f"{PLACE}/jobs/{name}", "pubsubTarget": target, **state, **times, **fields}


def address(store: FolderStore, name: str) -> dict[str, Any]:
    return {"config_uri": configs.address(store, name)}


def next_runs_of(at: Any) -> dict[str, str]:
    table = at.dataframe[0].value
    return dict(zip(table["Market"], table["Next run (UTC)"], strict=True))


def test_each_market_has_its_next_run(
    console: Open, markets: FolderStore, google: FakeGoogle
) -> None:
    french = {**address(markets, "es"), "markets": ["FR", "AT"]}
    inline = {**address(markets, "de"), "overrides": {"market": "PL"}}
    google.resources[JOBS] = {
        "jobs": [
            job(markets, "late", address(markets, "de"), "2026-11-24T05:00:00Z"),
            job(markets, "early", address(markets, "de"), "2026-11-24T03:17:00+01:00"),
            job(markets, "off", address(markets, "de"), None),
            job(markets, "es", address(markets, "es"), None),
            job(markets, "fr", french, "2026-11-24T04:00:00.5Z"),
            job(markets, "pl", inline, "2026-11-24T01:00:00Z"),
            {"name": f"{PLACE}/jobs/mmm-reconcile", "httpTarget": {}, "state": "ENABLED"},
        ]
    }
    at = console()
    assert not at.exception
    assert not at.warning
    assert next_runs_of(at) == {
        "DE": "2026-11-24 02:17",
        "ES": "its schedule is paused",
        "FR": "2026-11-24 04:00",
    }
    assert "Next run (UTC): 2026-11-24 02:17" in says(at)


def test_a_paused_market_says_so(console: Open, markets: FolderStore, google: FakeGoogle) -> None:
    entry = job(markets, "de", address(markets, "de"), "2026-11-24T05:00:00Z")
    google.resources[JOBS] = {"jobs": [entry]}
    at = console()
    at.text_input(key="pause-DE, revision r1").set_value("the warehouse moves").run()
    next(b for b in at.button if b.label == "Pause it").click().run()
    assert next_runs_of(at) == {
        "DE": "paused: resume it",
        "ES": "none: add it to `schedules`",
        "FR": "none: add it to `schedules`",
    }


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("{", "its message is refused"),
        ({"config_uri": "gs://other/configs/<b>.yaml"}, "is no valid config of this bucket"),
        ({"config": {"market": {"a": 1}}}, "names a config without a market"),
    ],
)
def test_a_schedule_that_starts_no_run_is_named(
    console: Open, markets: FolderStore, google: FakeGoogle, message: Any, said: str
) -> None:
    google.resources[JOBS] = {"jobs": [job(markets, "x", message, "2026-11-24T05:00:00Z")]}
    at = console()
    assert not at.exception
    assert said in says(at)


def test_a_refusal_is_shown_and_the_page_stands(
    console: Open, markets: FolderStore, google: FakeGoogle
) -> None:
    google.denied[JOBS] = "cloudscheduler.jobs.list"
    at = console()
    assert "cloudscheduler.jobs.list" in says(at)
    assert set(next_runs_of(at).values()) == {"not known"}


def test_a_slow_service_holds_no_page(
    console: Open, markets: FolderStore, google: FakeGoogle, monkeypatch: pytest.MonkeyPatch
) -> None:
    google.resources[JOBS] = {"jobs": []}
    answered, connected = Event(), Api.connect()

    def connect() -> Api:
        answered.wait(60)
        return connected

    monkeypatch.setattr(Api, "connect", connect)
    monkeypatch.setattr(reads, "PATIENCE", 0.0)
    at = console()
    assert set(next_runs_of(at).values()) == {"not known yet: reload"}
    answered.set()
    monkeypatch.setattr(reads, "PATIENCE", 60.0)
    assert set(next_runs_of(at.run()).values()) == {"none: add it to `schedules`"}


def test_a_laptop_has_no_schedules(console: Open, markets: FolderStore) -> None:
    assert set(next_runs_of(console()).values()) == {"none here: start it"}


class Pages:
    """Answers with ten pages of one job each."""

    def __init__(self) -> None:
        self.calls = 0

    def get(self, service: str, path: str, params: dict[str, str]) -> Any:
        number = int(params["pageToken"] or 0)
        self.calls += 1
        entry = {"name": f"{PLACE}/jobs/{number}", "pubsubTarget": {"topicName": "t"}}
        return {"jobs": [entry], "nextPageToken": str(number + 1) if number < 9 else ""}


def test_the_read_is_bounded_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedules, "MOST", 3)
    api: Any = Pages()
    found = schedules.read_schedules(api, PLACE, "other")
    assert api.calls == 4
    assert "has more than 3 schedules" in found.problems[-1]
    assert sum(1 for _ in schedules.scheduler_jobs(api, PLACE)) == 10
