"""CSV and Parquet files in a bucket, read through the real client."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from contract.exceptions import DataError
from contract.stores import Store
from job.sources import extract
from tests.unit.sources.conftest import make_config


@pytest.mark.parametrize("name", ["in/daily.csv", "in/daily.parquet"])
def test_a_file_in_a_bucket_gives_the_same_data(
    bucket: str, gcs_store: Store, daily: pd.DataFrame, tmp_path: Path, name: str
) -> None:
    local = tmp_path / Path(name).name
    if name.endswith(".csv"):
        daily.to_csv(local, index=False)
    else:
        daily.to_parquet(local)
    gcs_store.write(name, local.read_bytes())
    local_snapshot, remote_snapshot = (
        extract(
            make_config({"type": "file", "path": path}), run_id="r", to=tmp_path / to / "s.parquet"
        )
        for path, to in ((str(local), "a"), (f"{bucket}/{name}", "b"))
    )
    assert remote_snapshot.rows == 20
    assert remote_snapshot.fingerprint == local_snapshot.fingerprint


def test_a_missing_object_is_reported(bucket: str, tmp_path: Path) -> None:
    config = make_config({"type": "file", "path": f"{bucket}/in/none.csv"})
    with pytest.raises(DataError, match=r"in/none\.csv`, but this object does not exist") as caught:
        extract(config, run_id="r", to=tmp_path / "s.parquet")
    assert caught.value.exit_code == 65
