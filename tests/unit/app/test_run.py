"""The page Run."""

from __future__ import annotations

from contract.stores.folder import FolderStore
from tests.unit.app.conftest import HOSTILE, Open, says

CURRENT, HELD = "20261123T030000Z-00000001", "20261123T040000Z-00000002"
AT_WORK, FAILED = "20261123T050000Z-00000003", "20261123T060000Z-00000004"


def test_without_a_run_it_says_what_to_do(console: Open, store: FolderStore) -> None:
    at = console("run")
    assert not at.exception
    assert "No run yet" in says(at)


def test_a_finished_run_has_its_verdict_and_its_files(console: Open, markets: FolderStore) -> None:
    at = console("run", run=CURRENT)
    assert not at.exception
    assert "SUCCEEDED" in says(at)
    assert "What the verdict says" in [one.value for one in at.subheader]
    files = next(box for box in at.selectbox if box.label == "File")
    assert files.options == ["report.html", "tables/posterior.parquet"]
    assert "No such entries" in says(at)


def test_hostile_text_is_text(console: Open, markets: FolderStore) -> None:
    at = console("run", run=CURRENT)
    [finding] = [m.value for m in at.markdown if "REVIEW" in m.value and "smile" in m.value]
    assert HOSTILE not in finding
    for raw in ("*b*", ":red[", "<b>", "![i]", "$y$", "www.", ":smile:"):
        assert raw not in finding.replace(":orange-badge[", "")


def test_a_run_at_work_has_bars_and_a_time(console: Open, markets: FolderStore) -> None:
    at = console("run", run=AT_WORK)
    assert not at.exception
    bars = [bar.proto.text for bar in at.get("progress")]
    assert bars[0].startswith("Search: 60%, about 4 minutes left")
    assert bars[1:] == ["Trial 1: 100 of 100 iterations", "Trial 2: 20 of 100 iterations"]
    assert "Cancel it" in [button.label for button in at.button]


def test_a_run_that_failed_says_why(console: Open, markets: FolderStore) -> None:
    at = console("run", run=FAILED)
    assert "`tv` is empty" in at.error[0].value


def test_a_held_run_says_why(console: Open, markets: FolderStore) -> None:
    assert "ROAS of `tv` is 9" in says(console("run", run=HELD))


def test_a_run_that_is_not_there(console: Open, markets: FolderStore) -> None:
    at = console("run", run="20200101T000000Z-00000000")
    assert not at.exception
    assert "There is no run" in at.error[0].value


def test_the_log_may_be_limited(console: Open, markets: FolderStore) -> None:
    entry = '{"severity": "WARNING", "message": "slow", "time": "2026-11-23T03:00:00Z"}'
    markets.write(f"runs/{CURRENT}/log/a.jsonl", entry.encode())
    at = console("run", run=CURRENT)
    assert "slow" in at.code[0].value
    at.segmented_control(key="severity").set_value("ERROR").run()
    assert "No such entries" in says(at)
