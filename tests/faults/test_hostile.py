"""Hostile names, values and paths in the real code: nothing is executed and nothing escapes."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from typer.testing import CliRunner

from contract import layout
from contract.exceptions import ArtifactError, ConfigError, DataError
from contract.request import Origin, Request
from contract.run import State, now, read_status
from contract.stores import Store
from contract.stores.folder import FolderStore
from job.lifecycle import Ending
from job.runtime import logs
from job.runtime.progress import Lines
from job.sources import extract
from job.start import start
from mmm.commands import app
from tests.unit.report.page import Page
from tests.unit.sources.conftest import make_config

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = {  # columns of the weekly example -> hostile names
    "REVENUE": "=1+1</script><script>alert(1)</script>",
    "TV_COST": "`); file.create('pwned'); (`",
    "SEARCH_COST": "@SUM(1)\"'$(touch pwned)",
    "NEWSLETTER": "+I(log(REVENUE)) ~ . [red]",
    "COMPETITOR_SALES": "-x\x9b31m[/bold]",
    "EVENTS": "'; drop table x; --",
}
LEVELS = ["=cmd|' /C calc'!A0", "<img src=x onerror=alert(1)>", "'); file.create('pwned'); ('"]
needs_r = pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")


@pytest.fixture
def hostile(tmp_path: Path) -> dict[str, Any]:
    """Return a config of the weekly example with hostile names and levels of factors."""
    with (ROOT / "examples/data/de_weekly.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    levels = dict(zip(sorted({row["EVENTS"] for row in rows} - {""}), LEVELS, strict=False))
    file = tmp_path / "in[1]*.csv"  # looks like a pattern, but is a name
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["DATE", *COLUMNS.values()])
        for row in rows:
            changed = {**row, "EVENTS": levels.get(row["EVENTS"], row["EVENTS"])}
            writer.writerow([row["DATE"], *(changed[name] for name in COLUMNS)])
    return {
        "version": 1, "market": "DE", "revision": "r1",
        "source": {"type": "file", "path": str(file)},
        "date": {"column": "DATE", "start": "2022-01-03"},
        "target": {"column": COLUMNS["REVENUE"]},
        "channels": [{"name": "tv", "spend": COLUMNS["TV_COST"]},
                     {"name": "search", "spend": COLUMNS["SEARCH_COST"]}],
        "organic": [COLUMNS["NEWSLETTER"]], "context": [COLUMNS["COMPETITOR_SALES"]],
        "factors": [COLUMNS["EVENTS"]],
        "training": {
            "trials": 1, "iterations": 60, "min_candidates": 20, "engine": "builtin",
            "min_r2": -1,
        },
        "posterior": {"sweeps": 60},
        "outputs": {"onepagers": 1},
    }  # fmt: skip


def begin(config: Path, **options: Any) -> Ending:
    log = logs.configure("json")
    settings: dict[str, Any] = {"run_id": None, "force": False, "via": "command", **options}
    return start(config_uri=str(config), log=log, view=Lines(log), **settings)


@needs_r
def test_names_and_levels_are_only_text(
    hostile: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(yaml.safe_dump(hostile))
    monkeypatch.chdir(tmp_path)
    ending = begin(config, bucket=str(tmp_path / "bucket"), topic=str(tmp_path / "e.jsonl"))
    output = capsys.readouterr().err
    assert ending.state is State.SUCCEEDED, output[-3000:]
    assert not list(tmp_path.rglob("pwned"))
    [report] = (tmp_path / "bucket").rglob("report.html")
    page = Page(report.read_text())
    assert len(page.scripts) == 1
    assert not {"img", "iframe", "object"} & page.tags
    assert COLUMNS["REVENUE"] in page.text
    cells = [
        cell
        for table in report.parent.rglob("*.parquet")
        for column in pq.read_table(table).columns
        if pa.types.is_string(column.type)
        for cell in column.to_pylist()
    ]
    assert cells
    assert not [cell for cell in cells if cell and cell[0] in "=+-@\t\r"]
    assert "\x9b" not in output
    assert "\x9b" not in (report.parent / "robyn_console.log").read_text()
    for line in output.splitlines():
        json.loads(line)


def test_commands_print_names_as_they_are(hostile: dict[str, Any], tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(yaml.safe_dump(hostile))
    planned = CliRunner().invoke(app, ["plan", str(config)])
    assert planned.exit_code == 0, planned.output
    assert "[red]" in planned.output
    assert "-x\\x9b31m[/bold]" in planned.output
    assert "\x9b" not in planned.output
    checked = CliRunner().invoke(app, ["check", str(config)])
    assert "Traceback" not in checked.output
    assert "\x9b" not in checked.output


def test_lines_for_people_cannot_be_forged(capsys: pytest.CaptureFixture[str]) -> None:
    log = logs.configure("console")
    log.warning("level `a\n12:00:00   run done\x1b[2J`", column="b\nc")
    [first, *more] = capsys.readouterr().err.splitlines()
    assert first[9] == "!"
    assert all(line.startswith("           ") for line in more)
    assert "\\x1b[2J" in more[0]


@pytest.mark.parametrize(
    "source",
    [
        {"type": "file", "path": "/etc/hostname.csv"},
        {"type": "duckdb", "path": "/secrets/w.duckdb", "table": "t"},
        {"type": "file", "path": "FOLDER/../elsewhere.csv"},
    ],
)
@pytest.mark.parametrize("via", ["pubsub", "execution"])
def test_a_message_reaches_no_file_of_the_machine(
    source: dict[str, Any],
    via: Any,
    bucket: str,
    gcs_store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = source["path"].replace("FOLDER", str(tmp_path / "data"))
    config = make_config({**source, "path": path})
    request = Request(
        run_id="20261123T020000Z-1a2b3c4d", market="DE", revision="r1", origins={}, nonce="n",
        config=config.model_dump(mode="json"), config_hash=config.hash(), accepted_at=now(),
        origin=Origin(via=via),
    )  # fmt: skip
    gcs_store.write(layout.request(request.run_id), request.to_json())
    monkeypatch.setenv("MMM_DATA_FOLDER", str(tmp_path / "data"))
    ending = begin(
        tmp_path, bucket=bucket, topic=str(tmp_path / "e.jsonl"), run_id=request.run_id, via=via
    )
    assert ending.exit_code == 64
    status = read_status(gcs_store, request.run_id)
    assert status is not None
    assert status.error is not None
    assert f"`source.path` is `{path}`; allowed in this deployment: gs://" in status.error.message


@pytest.mark.parametrize(
    "query",
    [
        "select * from read_csv('/etc/passwd')",
        "select * from read_text('/proc/self/environ')",
        "select * from '/etc/passwd'",
        "select * from glob('/etc/*')",
        "select * from read_parquet('https://127.0.0.1:1/x.parquet')",
        "select * from outside",
    ],
)
def test_a_query_reaches_nothing_but_its_database(query: str, tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create view outside as select * from read_text('/etc/passwd')")
    source = {"type": "duckdb", "path": str(path), "query": query}
    with pytest.raises((DataError, ConfigError)) as caught:
        extract(make_config(source), run_id="r", to=tmp_path / "s.parquet")
    assert "root:" not in str(caught.value)


def test_links_do_not_lead_out_of_a_folder_bucket(tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text("{}")
    store = FolderStore(tmp_path / "bucket")
    store.write("runs/a.json", b"{}")
    (tmp_path / "bucket/runs/out.json").symlink_to(tmp_path / "secret.json")
    (tmp_path / "bucket/configs").symlink_to(tmp_path)
    for path in ("runs/out.json", "configs/secret.json", "../secret.json", "/etc/passwd"):
        with pytest.raises(ArtifactError, match="is outside the folder"):
            store.read(path)
        with pytest.raises(ArtifactError, match="is outside the folder"):
            store.write(path, b"changed")
    assert (tmp_path / "secret.json").read_text() == "{}"
