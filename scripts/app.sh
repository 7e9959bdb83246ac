#!/usr/bin/env bash
# Open the console on the demo's bucket: DuckDB is the warehouse, and `mmm serve` takes its requests.
# Ctrl-C ends both.
set -euo pipefail
cd "$(dirname "$0")/.."
export MMM_BUCKET=.demo/bucket MMM_EVENTS_TOPIC=.demo/events.jsonl MMM_REQUESTS_TOPIC=.demo/requests.jsonl
mkdir -p .demo

[ -f .demo/warehouse.duckdb ] || .venv/bin/python -m examples.generate --warehouse .demo/warehouse.duckdb
[ -f .demo/bucket/configs/demo.yaml ] || .venv/bin/mmm save examples/configs/demo.yaml >/dev/null
.venv/bin/mmm serve --requests "$MMM_REQUESTS_TOPIC" >.demo/serve.log 2>&1 &
serve=$!
trap 'kill "$serve" 2>/dev/null; wait "$serve" 2>/dev/null || true' EXIT
echo "The console opens at http://localhost:${PORT:-8501}. Runs log to .demo/serve.log. Ctrl-C ends it."
.venv/bin/python -m app
