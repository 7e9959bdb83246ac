"""The instance is killed at each step of New market: a new session goes on from the bucket."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app import actions, reads
from contract import layout
from contract.base import canonical_json
from contract.exceptions import TransientError
from contract.stores.folder import FolderStore
from contract.topics.jsonl import FileTopic
from mmm import configs, drafts
from tests.unit.app.conftest import Open, says
from tests.unit.app.test_new_market import CSV, begin, press

Step = Callable[[AppTest], AppTest]


def pick(label: str, value: str) -> Step:
    def step(at: AppTest) -> AppTest:
        return next(one for one in at.selectbox if one.label == label).set_value(value).run()

    return step


def edit(at: AppTest) -> AppTest:
    text = next(one for one in at.text_area if one.label.startswith("YAML"))
    return text.set_value(text.value.replace('market: "DE"', 'market: "AT"')).run()


def button(label: str) -> Step:
    return lambda at: press(at, label)


STEPS: list[Step] = [
    pick("How long to search", "benchmark"),
    edit,
    button("Check the data and plan the run"),
    button("Save the config"),
    button("Train"),
]


@pytest.mark.parametrize("killed_after", range(len(STEPS) + 1))
def test_a_killed_instance_loses_nothing(
    console: Open, store: FolderStore, tmp_path: Path, killed_after: int
) -> None:
    draft_id = begin(store)
    at = console("new_market", draft=draft_id)
    for number, step in enumerate(STEPS):
        if number == killed_after:
            at = killed(console, draft_id)
        at = step(at)
        assert not at.exception
        assert not at.error
    if killed_after == len(STEPS):
        at = killed(console, draft_id)
    assert "begins within seconds" in says(at)
    saved = configs.read(store, "de")
    assert saved is not None
    assert saved.config is not None
    assert saved.config.market == "AT"
    assert "preset: benchmark" in saved.text
    keys = {
        m["attributes"]["idempotency_key"]
        for m in FileTopic(tmp_path / "requests.jsonl").messages()
    }
    assert keys == {drafts.read(store, draft_id)[0].request}, "however often it is sent: one run"
    assert not list(store.list("config-versions/"))


def killed(console: Open, draft_id: str) -> AppTest:
    """A new instance, which remembers nothing; the browser has the address of the page."""
    st.cache_data.clear()
    st.cache_resource.clear()
    reads.forget()
    return console("new_market", draft=draft_id)


def test_killed_between_the_draft_and_the_request(
    console: Open, store: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft_id = begin(store)
    at = console("new_market", draft=draft_id)
    press(at, "Check the data and plan the run")
    press(at, "Save the config")
    with monkeypatch.context() as patch:
        patch.setattr(actions, "request_run", away)
        press(at, "Train")
        assert "The topic does not answer" in says(at)
        assert "begins within seconds" not in says(at)
    at = killed(console, draft_id)
    [message] = FileTopic(tmp_path / "requests.jsonl").messages()
    key = message["attributes"]["idempotency_key"]
    store.write(layout.key(key), canonical_json({"run_id": "20261123T030000Z-00000001"}))
    at = killed(console, draft_id)
    assert [title.value for title in at.title] == ["Run"]
    assert len(list(FileTopic(tmp_path / "requests.jsonl").messages())) == 1


def away(*_: object, **__: object) -> str:
    raise TransientError("the topic does not answer")


def test_an_upload_is_stored_before_the_draft(console: Open, store: FolderStore) -> None:
    at = console("new_market")
    at.file_uploader(key="upload").set_value(("a.csv", CSV.read_bytes(), "text/csv")).run()
    assert len(list(store.list("uploads/"))) == 1
    again = console("new_market")
    again.file_uploader(key="upload").set_value(("a.csv", CSV.read_bytes(), "text/csv")).run()
    assert len(list(store.list("uploads/"))) == 1, "the same file is the same object"
