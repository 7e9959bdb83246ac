"""A bucket with markets in every state, and the console on it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app import reads
from contract import environment, layout
from contract.base import canonical_json
from contract.run import RunError, State, Status, now
from contract.stores.folder import FolderStore
from mmm import configs
from tests.runs import WEEKLY
from tests.statuses import START, put

MAIN = str(Path(__file__).resolve().parents[3] / "app" / "main.py")
HOSTILE = "a*b*:red[x]<b>`c`![i](http://e.org/x.png) $y$ www.e.org :smile:"
Open = Callable[..., AppTest]


def outcome(run_id: str, verdict: str, sentence: str, *, held: str | None = None) -> dict[str, Any]:
    """What a finished run says of itself."""
    return {
        "run_id": run_id,
        "verdict": {
            "verdict": verdict,
            "findings": [{"level": verdict, "sentence": sentence}] if sentence else [],
        },
        "best_model": {"window_end": "2026-11-16"},
        "drift": {"verdict": "HOLD" if held else "ACCEPT", "reasons": [held] if held else []},
        "artifacts_uri": "gs://bucket/robyn/",
    }


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A console on an empty folder, without anything that another test has read."""
    monkeypatch.chdir(tmp_path)
    for name in (environment.APP_AUDIENCE, environment.JOB, environment.CLOUD_RUN_SERVICE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(environment.BUCKET, str(tmp_path / "bucket"))
    monkeypatch.setenv(environment.EVENTS_TOPIC, str(tmp_path / "events.jsonl"))
    monkeypatch.setenv(environment.REQUESTS_TOPIC, str(tmp_path / "requests.jsonl"))
    monkeypatch.setenv(environment.APP_USER, "ann@example.com")
    st.cache_data.clear()
    st.cache_resource.clear()
    reads.forget()
    yield
    st.cache_data.clear()
    st.cache_resource.clear()
    reads.forget()


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    """The bucket."""
    (tmp_path / "bucket").mkdir()
    return FolderStore(tmp_path / "bucket")


@pytest.fixture
def markets(store: FolderStore) -> FolderStore:
    """DE has a current and a held run, FR a run at work, IT one that failed, ES only a config."""
    first = put(store, 1, "DE", State.SUCCEEDED, outcome={})
    store.write(layout.status(first), _with(store, first, outcome(first, "REVIEW", HOSTILE)))
    store.write(layout.current("r1", "DE"), canonical_json({"run_id": first}))
    store.write(layout.artifacts("r1", "DE", first, "report.html"), b"<p>report</p>")
    store.write(layout.artifacts("r1", "DE", first, "tables/posterior.parquet"), b"PAR1")
    second = put(
        store, 2, "DE", State.HELD, outcome=outcome("", "PASS", "", held="ROAS of `tv` is 9")
    )
    store.write(layout.artifacts("r1", "DE", second, "manifest.json"), b"{}")
    put(
        store, 3, "FR", State.RUNNING, step="train", attempt=1,
        progress={"trials": 2, "iterations": 100, "by_trial": {"1": 100, "2": 20}},
        steps=[{"name": "gate", "seconds": 1.0, "state": "finished", "started_at": str(START)},
               {"name": "train", "seconds": None, "state": "started",
                "started_at": (now() - timedelta(minutes=6)).isoformat()}],
    )  # fmt: skip
    put(
        store, 4, "IT", State.FAILED,
        error=RunError(code=65, kind="GateError", message="`tv` is empty: fill it"),
    )  # fmt: skip
    configs.save(store, "de", WEEKLY, seen=0, by="bob@example.com")
    spanish = WEEKLY.replace("market: DE", "market: ES")
    configs.save(store, "es", spanish, seen=0, by="bob@example.com")
    return store


def _with(store: FolderStore, run_id: str, changed: dict[str, Any]) -> bytes:
    blob = store.read(layout.status(run_id))
    status = Status.from_json(blob.data, path=layout.status(run_id))
    return status.model_copy(update={"outcome": changed}).to_json()


@pytest.fixture
def console() -> Open:
    """Opens a page of the console as Streamlit would, by its file and its query parameters."""

    def opened(name: str = "markets", **query: str) -> AppTest:
        at = AppTest.from_file(MAIN, default_timeout=30)
        for key, value in query.items():
            at.query_params[key] = value
        at.run()
        return at if name == "markets" else at.switch_page(f"views/{name}.py").run()

    return opened


def says(at: AppTest) -> str:
    """All text that the page shows in its body and its messages, as a person reads it."""
    parts = [*at.markdown, *at.info, *at.error, *at.warning, *at.success, *at.caption, *at.code]
    text = "\n".join(str(part.value) for part in parts)
    return re.sub(r"\\([^\w\s])", r"\1", text).replace("\u2060", "")
