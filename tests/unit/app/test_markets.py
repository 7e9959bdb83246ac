"""The page Markets."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path

import pytest

from contract import environment
from contract.stores.folder import FolderStore
from contract.topics.jsonl import FileTopic
from tests.unit.app.conftest import Open, says


def test_an_empty_bucket_says_what_to_do(console: Open, store: FolderStore) -> None:
    at = console()
    assert not at.exception
    assert "No market yet" in says(at)
    assert "New market" in says(at)


def test_each_market_has_a_row(console: Open, markets: FolderStore) -> None:
    at = console()
    assert not at.exception
    table = at.dataframe[0].value
    assert list(table["Market"]) == ["DE", "ES", "FR"]
    assert list(table["Verdict"]) == ["REVIEW", "", ""]
    assert list(table["Waits"]) == ["a run to decide on", "", "train"]
    assert table["Data until"][0] == "2026-11-16"


def test_the_filter_keeps_what_fits(console: Open, markets: FolderStore) -> None:
    at = console()
    at.text_input(key="filter").set_value("f").run()
    assert list(at.dataframe[0].value["Market"]) == ["FR"]
    at.text_input(key="filter").set_value("nowhere").run()
    assert "No market fits" in says(at)
    at.text_input(key="filter").set_value("").run()
    at.segmented_control(key="show").set_value("To decide").run()
    assert list(at.dataframe[0].value["Market"]) == ["DE"]


def test_a_start_publishes_a_message(console: Open, markets: FolderStore, tmp_path: Path) -> None:
    at = console()
    next(b for b in at.button if b.label == "Start a run").click().run()
    assert "request is published" in says(at)
    [message] = FileTopic(tmp_path / "requests.jsonl").messages()
    assert "configs/de.yaml" in b64decode(message["data"]).decode()


def test_a_bucket_that_cannot_be_opened_is_an_error_with_a_remedy(
    console: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(environment.BUCKET, "ftp://somewhere")
    at = console()
    assert not at.exception
    assert "allowed" in says(at)


def test_a_market_is_paused_and_resumed(console: Open, markets: FolderStore) -> None:
    at = console()
    at.text_input(key="pause-DE, revision r1").set_value("the *warehouse* moves").run()
    next(b for b in at.button if b.label == "Pause it").click().run()
    assert "Paused: " in at.warning[0].value
    assert "*warehouse*" not in at.warning[0].value
    assert at.dataframe[0].value["Waits"][0] == "paused, a run to decide on"
    next(b for b in at.button if b.label == "Resume the market").click().run()
    assert not at.warning


def test_a_pause_needs_a_reason(console: Open, markets: FolderStore) -> None:
    at = console()
    next(b for b in at.button if b.label == "Pause it").click().run()
    assert "Say why" in says(at)


def test_a_held_run_opens_from_its_market(console: Open, markets: FolderStore) -> None:
    at = console()
    next(b for b in at.button if b.label == "Open the held run").click().run()
    assert [title.value for title in at.title] == ["Run"]
    assert "HELD" in says(at)
