"""`mmm compare --html`: the same comparison as a page, with its sentences."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from contract.stores.folder import FolderStore
from mmm.commands import app
from mmm.compare.document import Compared, ComparedChannel, ComparedRun
from mmm.compare.page import render_comparison, sentences
from tests.unit.compare.test_compare import FIRST, SECOND, put
from tests.unit.report.page import Page

HOSTILE = "</script><img src=x onerror=alert(1)>"


def run(run_id: str, verdict: str | None) -> ComparedRun:
    return ComparedRun(
        run_id=run_id, market="DE", revision="r1", verdict=verdict, window_start="2023-01-02",
        window_end="2026-11-16", rsq_train=0.9, best_model="1_2_1",
    )  # fmt: skip


def channel(name: str | None, before: float, after: float, **parts: float) -> ComparedChannel:
    return ComparedChannel(
        name=name, before=before, after=after, change=after - before, parts=parts
    )


def compared(*channels: ComparedChannel, verdict: str | None = "PASS") -> Compared:
    return Compared(
        before=run(FIRST, "PASS"), after=run(SECOND, verdict), measure="ROAS", figures="posterior",
        causes={"config": [HOSTILE]}, channels=list(channels), added=["radio"], removed=[],
        shared=None,
    )  # fmt: skip


def test_the_sentences_name_the_largest_change_and_its_cause() -> None:
    found = compared(
        channel("tv", 2.0, 3.0, search=0.1, config=0.9),
        channel("social", 4.0, 3.8, search=-0.2),
        channel(None, 2.5, 2.75),
        verdict="FAIL",
    )
    assert list(sentences(found)) == [
        "All paid channels: ROAS is 2.75 and was 2.5 (+10%).",
        "tv changed the most: ROAS is 3 and was 2 (+50%).",
        "Most of that is from one cause: config (+0.9).",
        "The verdict was PASS and is FAIL.",
        "Do not use the figures of the second run.",
    ]
    assert list(sentences(compared(channel("tv", 2.0, 2.0)))) == ["The verdict is PASS."]


def test_the_page_has_runs_causes_and_parts_and_names_are_text() -> None:
    page = Page(render_comparison(compared(channel(HOSTILE, 2.0, 3.0, config=1.0))))
    assert page.headings == ["The runs", "What differs", "ROAS by channel"]
    assert "img" not in page.tags
    for text in (FIRST, SECOND, HOSTILE, "+1", "Channels added: radio.", "0.90"):
        assert text in page.text, text
    assert page.values("src") == []
    Page(render_comparison(compared()))  # no channel in both runs


def test_the_command_writes_the_page_beside_its_text(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "bucket")
    put(store, FIRST)
    put(store, SECOND, roas=2.5, end="2026-11-23")
    file = tmp_path / "compared.html"
    arguments = ["compare", FIRST, SECOND, "--bucket", str(store.root), "--html"]
    done = CliRunner().invoke(app, [*arguments, str(file)])
    assert done.exit_code == 0
    assert "ROAS, by the posterior" in done.stdout
    assert "tv changed the most: ROAS is 2.5 and was 2 (+25%)." in Page(file.read_text()).text
    refused = CliRunner().invoke(app, [*arguments, str(tmp_path / "none" / "file.html")])
    assert refused.exit_code == 64
    assert "cannot be written: No such file or directory" in refused.stderr
