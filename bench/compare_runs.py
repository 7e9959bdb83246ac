"""Compare two runs of one config: `python -m bench.compare_runs FOLDER FOLDER`.

Prints a row per table: rows, the largest difference of a number, divided by the largest number of
its column, and what else differs. The exit code is 0: the numbers are to be read, not judged.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

TIMES = {"run_id", "created_at", "trained_at", "elapsed_seconds"}


def main() -> int:
    """Print the comparison of two folders with one run each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs=2, type=Path)
    first, second = (tables(folder) for folder in parser.parse_args().folders)
    print("| table | rows | largest relative difference | |\n|---|---|---|---|")
    for name in sorted(first.keys() | second.keys()):
        if name not in first or name not in second:
            print(f"| {name} | | | in one run only |")
        else:
            cells = compare(pd.read_parquet(first[name]), pd.read_parquet(second[name]))
            print(f"| {name} | {cells} |")
    return 0


def tables(folder: Path) -> dict[str, Path]:
    """Return the tables below a folder, by name."""
    return {path.stem: path for path in sorted(folder.rglob("tables/*.parquet"))}


def compare(one: pd.DataFrame, other: pd.DataFrame) -> str:
    """Return rows, the largest relative difference and a remark, as the cells of a table."""
    if one.shape != other.shape:
        return f"{len(one)} and {len(other)} | | other rows"
    largest, texts = 0.0, []
    for column in one.columns.drop(TIMES, errors="ignore"):
        a, b = one[column], other[column]
        if pd.api.types.is_numeric_dtype(a) and pd.api.types.is_numeric_dtype(b):
            scale = np.nanmax(np.abs(a.to_numpy(float)), initial=0.0) or 1.0
            gap = np.abs(a.to_numpy(float) - b.to_numpy(float))
            largest = max(largest, float(np.nanmax(gap, initial=0.0)) / scale)
        elif not a.equals(b):
            texts.append(str(column))
    remark = f"other texts in {', '.join(texts)}" if texts else "same texts"
    return f"{len(one)} | {largest:.1e} | {remark}"


if __name__ == "__main__":
    raise SystemExit(main())
