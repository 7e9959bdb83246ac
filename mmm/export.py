"""Write the tables of a run to a folder, as CSV or Parquet."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from pydantic import BaseModel

from contract import layout
from contract.exceptions import ConfigError
from contract.stores import Store
from job.outputs.manifest import Manifest
from job.outputs.tables import HYPERPARAMETERS

FOLDER, SUFFIX = "tables/", ".parquet"


class Exported(BaseModel, frozen=True):
    """A file that was written."""

    table: str
    path: str
    rows: int


def export_tables(
    store: Store, run: Manifest, folder: Path, *, kind: str, only: Sequence[str] = ()
) -> list[Exported]:
    """Write the tables of a run to new files `<table>.<kind>`; return them.

    In CSV, a column of names and values is a JSON object.

    Args:
        store: The bucket.
        run: The manifest of the run.
        folder: Where the files go; it is made.
        kind: `csv` or `parquet`.
        only: The tables to write; all if empty.

    Raises:
        ConfigError: the run has no such table, a file exists, or the folder cannot be written.
    """
    known = [
        artifact.path.removeprefix(FOLDER).removesuffix(SUFFIX)
        for artifact in run.artifacts
        if artifact.path.startswith(FOLDER) and artifact.path.endswith(SUFFIX)
    ]
    for name in only:
        if name not in known:
            raise ConfigError(f"`--table` is `{name}`; allowed: {', '.join(known) or 'none'}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from None
    written = []
    for name in only or known:
        file = folder / f"{name}.{kind}"
        path = layout.artifacts(run.revision, run.market, run.run_id, f"{FOLDER}{name}{SUFFIX}")
        data = store.read(path).data
        table = pq.read_table(pa.BufferReader(data))
        try:
            with file.open("xb") as stream:
                if kind == "parquet":
                    stream.write(data)
                else:
                    pa_csv.write_csv(_flat(table), stream)
        except FileExistsError:
            raise ConfigError(f"`{file}` exists; choose another `--output`") from None
        except OSError as error:
            raise _unwritable(folder, error) from None
        written.append(Exported(table=name, path=str(file), rows=table.num_rows))
    return written


def _unwritable(folder: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"`--output {folder}` cannot be written: {error.strerror}; choose another folder"
    )


def _flat(table: pa.Table) -> pa.Table:
    for index, field in enumerate(table.schema):
        if field.type == HYPERPARAMETERS:
            texts = [
                None if pairs is None else json.dumps({p["name"]: p["value"] for p in pairs})
                for pairs in table.column(index).to_pylist()
            ]
            table = table.set_column(index, field.name, pa.array(texts, pa.string()))
    return table
