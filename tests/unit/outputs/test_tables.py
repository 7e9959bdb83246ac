"""The result tables: R writes the declared columns, and Parquet keeps them."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contract.exceptions import ModelError
from job.outputs.tables import (
    DESCRIPTIONS,
    HYPERPARAMETERS,
    RUN_COLUMNS,
    SCHEMAS,
    read_csv,
    to_parquet,
)

RUN = {"run_id": "20260101T000000Z-00000000", "market": "DE", "revision": "r1"}
R_TABLES = Path(__file__).parents[3] / "r" / "R" / "tables.R"

SAMPLES = {
    pa.string(): "text",
    pa.bool_(): "TRUE",
    pa.int64(): "7",
    pa.float64(): "0.333333333333333",
    pa.date32(): "2024-01-01",
    HYPERPARAMETERS: '"{""tv_alphas"":1.5,""tv_thetas"":0.25}"',
}


def _csv(tmp_path: Path, table: str, *, rows: int = 1, drop: str = "", add: str = "") -> Path:
    fields = [field for field in SCHEMAS[table] if field.name not in (*RUN_COLUMNS, drop)]
    names = [field.name for field in fields] + ([add] if add else [])
    values = [SAMPLES[field.type] for field in fields] + (["1"] if add else [])
    path = tmp_path / f"{table}.csv"
    path.write_text("\n".join([",".join(names), *[",".join(values)] * rows]) + "\n")
    return path


@pytest.mark.parametrize("table", SCHEMAS)
def test_round_trip_through_parquet(tmp_path: Path, table: str) -> None:
    out = tmp_path / "out.parquet"
    assert to_parquet(_csv(tmp_path, table, rows=3), table, out, columns=RUN) == 3
    read = pq.read_table(out)
    assert read.schema.equals(SCHEMAS[table])
    assert read.schema.names[:3] == list(RUN_COLUMNS)
    assert read.slice(0, 1).select(list(RUN_COLUMNS)).to_pylist() == [RUN]


@pytest.mark.parametrize("table", SCHEMAS)
def test_every_column_and_table_has_a_sentence(table: str) -> None:
    assert DESCRIPTIONS[table].endswith(".")
    for field in SCHEMAS[table]:
        sentence = field.metadata[b"description"].decode()
        assert sentence.endswith("."), field.name
        assert len(sentence) > 10, field.name


def test_values_keep_type_and_precision(tmp_path: Path) -> None:
    row = read_csv(_csv(tmp_path, "models"), "models", run=RUN).to_pylist()[0]
    assert row["nrmse"] == 0.333333333333333
    assert row["is_best_model"] is True
    assert row["hyperparameters"] == [
        {"name": "tv_alphas", "value": 1.5},
        {"name": "tv_thetas", "value": 0.25},
    ]
    row = read_csv(_csv(tmp_path, "decomposition_by_date"), "decomposition_by_date", run=RUN)
    assert row.to_pylist()[0]["date"] == date(2024, 1, 1)


def test_missing_values_are_null_and_infinite_ones_stay(tmp_path: Path) -> None:
    path = _csv(tmp_path, "pareto")
    header = path.read_text().splitlines()[0].split(",")
    cells = dict.fromkeys(header, "") | {"decomp_rssd": "Inf", "model_id": '"1,_1"'}
    path.write_text(",".join(header) + "\n" + ",".join(cells[name] for name in header) + "\n")
    row = read_csv(path, "pareto", run=RUN).to_pylist()[0]
    assert row["model_id"] == "1,_1"
    assert row["decomp_rssd"] == float("inf")
    assert row["pareto_front"] is None
    assert row["is_candidate"] is None


def test_a_table_without_rows(tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    assert to_parquet(_csv(tmp_path, "allocation", rows=0), "allocation", out, columns=RUN) == 0
    assert pq.read_table(out).schema.equals(SCHEMAS["allocation"])


def test_other_columns_than_declared_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nrmse"):
        read_csv(_csv(tmp_path, "pareto", drop="nrmse"), "pareto", run=RUN)
    with pytest.raises(ModelError, match="surprise"):
        read_csv(_csv(tmp_path, "pareto", add="surprise"), "pareto", run=RUN)


def test_a_value_of_another_type_is_refused(tmp_path: Path) -> None:
    path = _csv(tmp_path, "pareto")
    path.write_text(path.read_text().replace("0.333333333333333", "many", 1))
    with pytest.raises(ModelError, match="pareto"):
        read_csv(path, "pareto", run=RUN)


def test_r_names_the_declared_columns_of_an_empty_allocation() -> None:
    block = re.search(r"ALLOCATION_COLUMNS <- c\((.*?)\)", R_TABLES.read_text(), re.DOTALL)
    assert block is not None
    columns = re.findall(r'"(\w+)"', block.group(1))
    assert columns == [n for n in SCHEMAS["allocation"].names if n not in RUN_COLUMNS]


def test_columns_keep_their_names_types_and_places() -> None:
    """Queries of years depend on them: new columns may only follow at the end."""
    golden = json.loads((Path(__file__).parent / "tables.golden.json").read_text())
    for name, columns in golden.items():
        known = [(field.name, str(field.type)) for field in SCHEMAS[name]]
        assert known[: len(columns)] == list(columns.items()), name
    assert set(golden) == set(SCHEMAS), "add a new table to tables.golden.json"
