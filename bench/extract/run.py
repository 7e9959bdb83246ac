"""A big Snowflake result to Parquet: peak memory and time beside the connector's own Arrow fetch.

    python -m bench.extract.run [--rows 5000000]

Both read the same chunks from the same stand-in, each in a process of its own, in turn.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa

from bench.machine import machine
from contract.source import SnowflakeSource
from job.sources import Evidence, snowflake
from job.sources.extract import explicit
from job.sources.schema import Kind
from job.sources.snapshot import write
from tests.fakes import snowflake as fake

HERE = Path(__file__).parent
TYPES = {
    Kind.DECIMAL: pa.float64(),
    Kind.INTEGER: pa.int64(),
    Kind.FLOAT: pa.float64(),
    Kind.TEXT: pa.string(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.DATE: pa.date32(),
    Kind.TIMESTAMP: pa.timestamp("ns"),
}


def read(mode: str, port: int, to: Path) -> dict[str, float]:
    """One way of reading, in this process."""
    env = {**fake.FakeSnowflake(port=port, process=None).env}  # type: ignore[arg-type]
    warehouse = snowflake.connect(
        SnowflakeSource(type="snowflake", table="BIG"), run_id="bench", env=env
    )
    sql, rows = "SELECT * FROM BIG", 0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    started = time.monotonic()
    if mode == "connector":
        with warehouse._connection.cursor() as cursor:
            cursor.execute(sql)
            for table in cursor.fetch_arrow_batches():
                rows += table.num_rows
    else:
        schema = pa.schema([pa.field(f.name, TYPES[f.kind]) for f in warehouse.fields()])
        batches = (explicit(batch, schema, "BIG") for batch in warehouse.stream(sql))
        made = write(batches, schema, to, sql=(sql,), source="BIG", evidence=Evidence)
        rows = made.rows
    seconds = time.monotonic() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"rows": rows, "seconds": seconds, "peak_mb": peak, "before_mb": before}


def main() -> None:
    """Run both ways in turn and write the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--mode")
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    out = HERE / "bench.parquet"
    if given.mode:
        print(json.dumps(read(given.mode, given.port, out)))
        return
    rounds: dict[str, list[dict[str, float]]] = {"connector": [], "ours": []}
    with fake.running() as server:
        server.set(big={"rows": given.rows})
        for _ in range(given.rounds):
            for mode, results in rounds.items():
                command = [sys.executable, "-m", "bench.extract.run", "--mode", mode]
                done = subprocess.run(
                    [*command, "--port", str(server.port)], check=True, capture_output=True
                )
                results.append(json.loads(done.stdout.splitlines()[-1]))
    out.unlink(missing_ok=True)
    best = {mode: min(r["seconds"] for r in results) for mode, results in rounds.items()}
    summary = {
        "rows": given.rows,
        "columns": 20,
        "ratio": round(best["ours"] / best["connector"], 3),
        "peak_mb": round(max(r["peak_mb"] for r in rounds["ours"])),
        "connector_peak_mb": round(max(r["peak_mb"] for r in rounds["connector"])),
        "seconds": {mode: round(value, 2) for mode, value in best.items()},
        "machine": machine(),
    }
    (HERE / "result.json").write_text(json.dumps(summary, indent=2) + "\n")
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
