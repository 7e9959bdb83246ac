"""Extract a big Snowflake result to Parquet; compare with the connector's own Arrow fetch.

    python -m bench.extract.run [--rows 5000000] [--rounds 5]

Both read the same chunks from the same stand-in, in turn, each in its own process. A round is one
read of each. A small read before the first round lets the stand-in make its chunks. The ratio is
the median of the rounds' ratios. Time and peak memory are measured.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa

from bench.machine import in_words, machine
from contract.source import SnowflakeSource
from job.sources import Evidence, snowflake
from job.sources.extract import cast_batch
from job.sources.schema import Kind
from job.sources.snapshot import write
from tests.fakes import snowflake as fake

HERE = Path(__file__).parent
CHUNK = 50_000
NAMES = {"connector": "the connector's own Arrow fetch", "ours": "extraction to hashed Parquet"}
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
    """Read in one way, in this process; return the measurements."""
    env = {**fake.FakeSnowflake(port=port, process=None).env}  # type: ignore[arg-type]
    warehouse = snowflake.connect(
        SnowflakeSource(type="snowflake", table="BIG"), run_id="bench", env=env
    )
    sql, rows = "SELECT * FROM BIG", 0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    started, busy = time.monotonic(), time.process_time()
    if mode == "connector":
        with warehouse._connection.cursor() as cursor:
            cursor.execute(sql)
            for table in cursor.fetch_arrow_batches():
                rows += table.num_rows
    else:
        schema = pa.schema([pa.field(f.name, TYPES[f.kind]) for f in warehouse.fields()])
        batches = (cast_batch(batch, schema, "BIG") for batch in warehouse.stream(sql))
        made = write(batches, schema, to, sql=(sql,), source="BIG", evidence=Evidence)
        rows = made.rows
    seconds = time.monotonic() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    busy = time.process_time() - busy
    return {"rows": rows, "seconds": seconds, "cpu": busy, "peak_mb": peak, "before_mb": before}


def main() -> None:
    """Run both ways in turn and write the results."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--mode")
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    out = HERE / "bench.parquet"
    if given.mode:
        print(json.dumps(read(given.mode, given.port, out)))
        return
    rounds: dict[str, list[dict[str, float]]] = {"connector": [], "ours": []}
    with fake.running() as server:
        server.set(big={"rows": CHUNK})
        once("connector", server.port)
        server.set(big={"rows": given.rows})
        for _ in range(given.rounds):
            for mode, results in rounds.items():
                results.append(once(mode, server.port))
    out.unlink(missing_ok=True)
    pairs = zip(rounds["ours"], rounds["connector"], strict=True)
    ratios = [ours["seconds"] / alone["seconds"] for ours, alone in pairs]
    summary = {
        "rows": given.rows,
        "columns": 20,
        "rounds": given.rounds,
        "ratio": round(statistics.median(ratios), 3),
        "ratios": [round(ratio, 3) for ratio in ratios],
        "seconds": {m: [round(r["seconds"], 2) for r in results] for m, results in rounds.items()},
        "cpu_seconds": {m: [round(r["cpu"], 2) for r in results] for m, results in rounds.items()},
        "peak_mb": {m: round(max(r["peak_mb"] for r in results)) for m, results in rounds.items()},
        "connector": version("snowflake-connector-python"),
        "machine": machine(),
    }
    (HERE / "result.json").write_text(json.dumps(summary, indent=2) + "\n")
    (HERE / "result.md").write_text(page(summary))
    print(json.dumps(summary))


def once(mode: str, port: int) -> dict[str, float]:
    """Read in one way, in a separate process; return the measurements."""
    command = [sys.executable, "-m", "bench.extract.run", "--mode", mode, "--port", str(port)]
    done = subprocess.run(command, check=True, capture_output=True)
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def page(summary: dict[str, Any]) -> str:
    """Return the result as Markdown."""
    lines = "\n".join(
        f"| {name} | {min(summary['seconds'][mode]):.2f} | "
        f"{statistics.median(summary['seconds'][mode]):.2f} | {summary['peak_mb'][mode]} MB |"
        for mode, name in NAMES.items()
    )
    return f"""# Extraction of {summary["rows"]:,} rows of {summary["columns"]} columns

The rows come from the Snowflake stand-in in chunks of {CHUNK:,} rows, without pushdown, through
version {summary["connector"]} of the connector. {summary["rounds"]} rounds, both ways in turn, on
{in_words(summary["machine"])}. `make bench-extract` repeats the measurement.

| | seconds, fastest | seconds, median | peak memory |
|---|---|---|---|
{lines}

The ratio is {summary["ratio"]:.2f} (median of the rounds; {min(summary["ratios"]):.2f} to
{max(summary["ratios"]):.2f}). Encoding and hashing run in a second thread while the connector
fetches the next chunk. The stand-in runs on the same cores. Runs use pushdown, which transfers only
one row per period.
"""


if __name__ == "__main__":
    main()
