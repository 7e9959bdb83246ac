"""Equal data has one fingerprint in any batches and order of addition; other data has another."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from contract.exceptions import DataError
from job.sources.fingerprint import Fingerprint
from job.sources.snapshot import Evidence, Snapshot, file_sha256, write

N = 400


def table() -> pa.Table:
    random = np.random.default_rng(3)
    return pa.table(
        {
            "day": pa.array(np.arange(N, dtype=np.int32)).cast(pa.date32()),
            "x": pa.array(random.normal(1e6, 1e5, N), mask=random.random(N) < 0.1),
            "y": pa.array(random.lognormal(5, 3, N)),
            "text": pa.array(["ä", None, "", "promo"] * (N // 4)),
        }
    )


def of(data: pa.Table, rows: int = N) -> str:
    prints = Fingerprint(data.schema)
    for batch in data.to_batches(max_chunksize=rows):
        prints.update(batch)
    return prints.hexdigest()


def changed(column: str, row: int, value: object) -> pa.Table:
    data = table()
    values = data[column].to_pylist()
    values[row] = value
    at = data.schema.get_field_index(column)
    return data.set_column(at, data.schema.field(at), pa.array(values, data.schema.field(at).type))


@pytest.mark.parametrize("rows", [1, 7, 399])
def test_batch_sizes_do_not_matter(rows: int) -> None:
    assert of(table(), rows) == of(table())


def test_the_order_of_additions_does_not_matter() -> None:
    random = np.random.default_rng(5)
    parts = random.lognormal(3, 2, (N, 1000))
    sums = [
        np.array([sum(row) for row in parts[:, order]])
        for order in (np.arange(1000), random.permutation(1000))
    ]
    assert (sums[0] != sums[1]).mean() > 0.5
    first, second = (of(table().set_column(2, "y", pa.array(one))) for one in sums)
    assert first == second


def test_zero_has_no_sign_and_null_is_not_zero() -> None:
    assert of(changed("y", 3, 0.0)) == of(changed("y", 3, -0.0))
    assert of(changed("y", 3, 0.0)) != of(changed("y", 3, None))
    assert of(changed("text", 3, None)) != of(changed("text", 3, ""))


@pytest.mark.parametrize(
    ("column", "row", "value"),
    [
        ("x", 5, 1_000_000.01),
        ("y", 0, 1.0),
        ("text", 1, ""),
        ("text", 2, "p"),
        ("text", 3, "promO"),
    ],
)
def test_a_changed_value_changes_the_fingerprint(column: str, row: int, value: object) -> None:
    assert of(changed(column, row, value)) != of(table())


def test_a_cent_in_ten_million_changes_the_fingerprint() -> None:
    assert of(changed("y", 9, 9_999_999.98)) != of(changed("y", 9, 9_999_999.99))


def test_the_hash_computed_while_writing_is_the_hash_of_the_file(tmp_path: Path) -> None:
    batches = table().to_batches(max_chunksize=50)
    to = tmp_path / "s.parquet"
    made = write(batches, table().schema, to, sql=("x",), source="here", evidence=Evidence)
    assert made.sha256 == file_sha256(to) == hashlib.sha256(to.read_bytes()).hexdigest()
    read = Snapshot.load(to)
    assert (read.fingerprint, read.rows, read.sha256) == (of(table()), N, made.sha256)


def test_a_failure_leaves_no_files(tmp_path: Path) -> None:
    def broken() -> object:
        yield from table().to_batches(max_chunksize=50)
        raise DataError("cut")

    with pytest.raises(DataError, match="cut"):
        write(broken(), table().schema, tmp_path / "s", sql=(), source="", evidence=Evidence)  # type: ignore[arg-type]
    wrong = pa.record_batch({"z": [1]})
    with pytest.raises(ValueError, match="schema"):
        write([wrong], table().schema, tmp_path / "s", sql=(), source="", evidence=Evidence)
    assert not list(tmp_path.iterdir())
