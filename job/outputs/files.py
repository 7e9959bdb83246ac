"""What Python makes of R's results: Parquet tables and the report."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contract.config import Config
from contract.exceptions import ModelError
from job.outputs.tables import SCHEMAS, to_parquet
from job.report import ReportInputs, render_report


def tables_to_parquet(output: Path, columns: Mapping[str, str]) -> dict[str, int]:
    """Turn R's CSV tables into Parquet with declared types; returns rows by table.

    Raises:
        ModelError: a table is missing or not as declared.
    """
    csv_folder, parquet_folder = output / "tables", output / "parquet"
    parquet_folder.mkdir(exist_ok=True)
    rows = {}
    for name in SCHEMAS:
        source = csv_folder / f"{name}.csv"
        if not source.is_file():
            raise ModelError(f"R ended well but wrote no table `{name}`")
        rows[name] = to_parquet(source, name, parquet_folder / f"{name}.parquet", columns=columns)
    shutil.rmtree(csv_folder)
    parquet_folder.rename(csv_folder)
    return rows


def write_report(
    output: Path, *, config: Config, run: Mapping[str, Any], quality: Mapping[str, Any]
) -> None:
    """Write `report.html` from what lies in the output folder; `run` is what the manifest says."""
    inputs = ReportInputs(
        tables=output / "tables",
        metrics=json.loads((output / "metrics.json").read_text()),
        config=config,
        run=run,
        quality=quality,
    )
    (output / "report.html").write_text(render_report(inputs), encoding="utf-8")
