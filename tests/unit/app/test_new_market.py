"""The page New market: each step is stored, and a lost browser continues where it was."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app import actions, sign_in
from app.people import Person, Role
from contract import layout
from contract.base import canonical_json
from contract.exceptions import ConfigError
from contract.loading import Resolved, load_config
from contract.stores import Store
from contract.stores.folder import FolderStore
from contract.topics.jsonl import FileTopic
from mmm import configs, drafts, uploads
from mmm.plan import Plan, plan_of
from tests.runs import ROOT, WEEKLY
from tests.unit.app.conftest import HOSTILE, Open, says

CSV = ROOT / "examples" / "data" / "de_weekly.csv"


def begin(store: FolderStore, path: str = str(CSV), **fields: Any) -> str:
    draft_id, generation = drafts.begin(
        store, {"type": "file", "path": path}, market="DE", revision="r1", by="ann@example.com"
    )
    if fields:
        old, _ = drafts.read(store, draft_id)
        drafts.change(store, draft_id, old, generation, by="ann@example.com", **fields)
    return draft_id


def press(at: AppTest, label: str) -> AppTest:
    return next(button for button in at.button if button.label == label).click().run()


def test_it_begins_with_a_table(console: Open, store: FolderStore) -> None:
    at = console("new_market")
    assert not at.exception
    [button] = [b for b in at.button if b.label == "Continue"]
    assert button.disabled


def test_an_uploaded_table_becomes_a_draft(
    console: Open, store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = console("new_market")
    at.file_uploader(key="upload").set_value(("my table.csv", CSV.read_bytes(), "text/csv"))
    at.text_input(key="market").set_value("DE").run()
    press(at, "Continue")
    assert not at.exception
    [draft] = store.list("drafts/")
    stored, _ = drafts.read(store, draft.path.removeprefix("drafts/").removesuffix(".json"))
    assert stored.source["path"].endswith("/my_table.csv")
    assert Path(stored.source["path"]).read_bytes() == CSV.read_bytes()
    assert at.query_params["draft"] == draft.path.split("/")[1].removesuffix(".json")


def test_an_upload_is_hashed_once(
    console: Open, store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploaded: list[str] = []
    upload = uploads.upload

    def noted(at: Store, name: str, data: bytes) -> str:
        uploaded.append(name)
        return upload(at, name, data)

    monkeypatch.setattr(uploads, "upload", noted)
    at = console("new_market")
    at.file_uploader(key="upload").set_value(("a.csv", CSV.read_bytes(), "text/csv")).run()
    at.text_input(key="market").set_value("DE").run()
    assert uploaded == ["a.csv"]


def test_a_table_becomes_a_saved_config_and_a_request(
    console: Open, store: FolderStore, tmp_path: Path
) -> None:
    at = console("new_market", draft=begin(store))
    assert len(at.dataframe[0].value) == 20
    press(at, "Check the data and plan the run")
    assert not at.exception
    assert {metric.label for metric in at.metric} >= {"Time", "Money"}
    press(at, "Save the config")
    saved = configs.read(store, "de")
    assert saved is not None
    assert saved.config is not None
    assert "ann@example.com" in (saved.saved or "")
    assert "Saved as" in says(at)
    press(at, "Train")
    [message] = FileTopic(tmp_path / "requests.jsonl").messages()
    assert "configs/de.yaml" in b64decode(message["data"]).decode()
    assert "begins within seconds" in says(at)
    [draft] = store.list("drafts/")
    key = drafts.read(store, Path(draft.path).stem)[0].request
    assert key is not None
    run_id = "20261123T030000Z-00000001"
    store.write(layout.key(key), canonical_json({"run_id": run_id}))
    at.run()
    assert [title.value for title in at.title] == ["Run"]


def test_a_console_that_is_not_the_jobs_machine_shows_both_engines(
    console: Open, store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MMM_CPU", "4")
    monkeypatch.setenv("MMM_MEMORY", "8Gi")
    found: list[Plan] = []

    def elsewhere(resolved: Resolved, at: Store, **_: bool) -> Plan:
        found.append(plan_of(resolved, at, is_job_machine=False))
        return found[-1]

    monkeypatch.setattr(actions, "plan_of", elsewhere)
    at = console("new_market", draft=begin(store))
    press(at, "Check the data and plan the run")
    shown = {metric.label: metric.value for metric in at.metric}
    assert shown["Engine"] == "robyn or builtin"
    assert "This console cannot look into that image" in says(at)
    [plan] = found
    assert plan.other is not None
    assert plan.estimate.seconds != plan.other.seconds
    assert {one.work.cores for one in (plan.estimate, plan.other)} == {4}, "the job's, not ours"


@pytest.mark.parametrize("engine", ["robyn", "builtin"])
def test_the_engine_of_the_config_is_the_one_that_is_planned(
    store: FolderStore, engine: str
) -> None:
    resolved = load_config(WEEKLY, overrides={"training": {"engine": engine}})
    plan = plan_of(resolved, store, is_job_machine=False)
    assert (plan.estimate.work.engine, plan.other) == (engine, None)


def test_every_choice_survives_the_browser(console: Open, store: FolderStore) -> None:
    draft_id = begin(store)
    at = console("new_market", draft=draft_id)
    box = next(one for one in at.selectbox if one.label == "How long to search")
    box.set_value("production").run()
    other = console("new_market", draft=draft_id)
    text = next(one for one in other.text_area if one.label.startswith("YAML"))
    assert "preset: production" in text.value
    text.set_value(text.value.replace('market: "DE"', 'market: "AT"')).run()
    assert drafts.read(store, draft_id)[0].text is not None
    assert 'market: "AT"' in next(
        one for one in console("new_market", draft=draft_id).text_area
    ).value  # fmt: skip


def test_what_was_begun_is_offered_again(console: Open, store: FolderStore) -> None:
    draft_id = begin(store)
    begin(store, saved=1)
    store.write(layout.draft("1" * 16), b"torn")
    at = console("new_market")
    [button] = [b for b in at.button if b.key and b.key.startswith("draft-")]
    button.click().run()
    assert at.query_params["draft"] == draft_id
    assert "What each column is" in says(at)


def test_a_role_that_is_edited_changes_the_config(store: FolderStore) -> None:
    draft_id = begin(store, roles={"RADIO_COST": "context", "COMPETITOR_SALES": "unused"})
    draft, _ = drafts.read(store, draft_id)
    from mmm.propose.table import read_table

    config = drafts.proposal(draft, read_table(draft.source)).config
    assert config is not None
    assert config["context"] == ["RADIO_COST"]
    assert "RADIO_COST" not in str(config["channels"])


def test_the_second_of_two_people_is_told(console: Open, store: FolderStore) -> None:
    first, second = (console("new_market", draft=begin(store)) for _ in range(2))
    for at in (first, second):
        press(at, "Check the data and plan the run")
    press(first, "Save the config")
    press(second, "Save the config")
    assert "has a newer version" in says(second)
    assert "ann@example.com" in says(second)
    found = configs.read(store, "de")
    assert found is not None
    press(second, "I have read it; mine replaces it")
    press(second, "Save the config")
    assert "Saved as" in says(second)
    assert store.read(layout.config_version("de", found.generation)).data.decode() == found.text


def test_two_windows_on_one_draft(console: Open, store: FolderStore) -> None:
    draft_id = begin(store)
    old, generation = drafts.read(store, draft_id)
    drafts.change(store, draft_id, old, generation, by="bob@example.com", preset="benchmark")
    with pytest.raises(ConfigError, match=r"changed elsewhere by bob@example\.com"):
        drafts.change(store, draft_id, old, generation, by="ann@example.com", preset="test")


@pytest.mark.parametrize("draft_id", ["0" * 16, "../../x", HOSTILE])
def test_a_draft_that_is_not_there(console: Open, store: FolderStore, draft_id: str) -> None:
    at = console("new_market", draft=draft_id)
    assert not at.exception
    assert "There is no draft" in at.error[0].value


def test_a_table_that_cannot_be_modelled_says_why(
    console: Open, store: FolderStore, tmp_path: Path
) -> None:
    file = tmp_path / "x.csv"
    file.write_text(f'"{HOSTILE}",b\n' + "\n".join(f"{n},{n}" for n in range(50)))
    at = console("new_market", draft=begin(store, str(file)))
    assert not at.exception
    assert "has no date column" in says(at)
    assert "<b>" not in at.error[0].value.replace("`", "")


def test_data_that_is_not_fit_cannot_be_saved(
    console: Open, store: FolderStore, tmp_path: Path
) -> None:
    file = tmp_path / "x.csv"
    file.write_text("".join(CSV.read_text().splitlines(keepends=True)[:20]))
    at = console("new_market", draft=begin(store, str(file)))
    press(at, "Check the data and plan the run")
    assert "BLOCK" in says(at)
    assert "Save the config" not in [button.label for button in at.button]


def test_a_viewer_may_not_begin(
    console: Open, store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = Person(name="eve@example.com", role=Role.VIEWER)
    monkeypatch.setattr(sign_in, "sign_in", lambda *_, **__: viewer)
    at = console("new_market")
    at.file_uploader(key="upload").set_value(("x.csv", b"a,b\n1,2", "text/csv")).run()
    assert "You may not upload a table" in says(at)
    assert not list(store.list("uploads/"))


def test_without_a_connection_snowflake_says_who_sets_it(
    console: Open, store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SNOWFLAKE_ACCOUNT", raising=False)
    at = console("new_market")
    at.segmented_control(key="kind").set_value("Snowflake").run()
    assert "no connection to Snowflake" in says(at)
    monkeypatch.setenv("SNOWFLAKE_ACCOUNT", "fake")
    at.run()
    assert "account `fake`" in says(at)


def test_a_query_is_checked_as_the_job_does(console: Open, store: FolderStore) -> None:
    import duckdb

    with duckdb.connect("w.duckdb") as made:
        made.execute(f"CREATE TABLE daily AS FROM '{CSV}'")
    at = console("new_market")
    at.segmented_control(key="kind").set_value("DuckDB file").run()
    at.text_input(key="at-duckdb").set_value("w.duckdb").run()
    at.selectbox(key="choice-Table-duckdb-w.duckdb-").set_value("main.daily").run()
    assert not next(b for b in at.button if b.label == "Continue").disabled
    at.segmented_control(key="how-duckdb").set_value("A query").run()
    at.text_area(key="query-duckdb").set_value("drop table daily").run()
    at.text_input(key="market").set_value("DE").run()
    press(at, "Continue")
    assert "SELECT" in says(at)
    assert not list(store.list("drafts/"))


@pytest.mark.parametrize("name", ["x.exe", "x", ".csv.sh", ""])
def test_only_tables_are_uploaded(store: FolderStore, name: str) -> None:
    with pytest.raises(ConfigError, match="allowed"):
        uploads.upload(store, name, b"x")


def test_an_upload_has_a_safe_path(store: FolderStore) -> None:
    path = uploads.upload(store, "../../é <b> x.CSV", b"a")
    assert Path(path).resolve().is_relative_to(store.root / "uploads")
    assert uploads.upload(store, "../../é <b> x.CSV", b"a") == path
    with pytest.raises(ConfigError, match="no content"):
        uploads.upload(store, "x.csv", b"")
