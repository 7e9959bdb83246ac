#!/usr/bin/env bash
# Run the job on local stand-ins: DuckDB is the warehouse, a folder is the bucket, JSONL files are the
# topics, processes are Cloud Run tasks. Last line: SUCCEEDED <run id> <path of report.html>
set -euo pipefail
cd "$(dirname "$0")/.."
export MMM_BUCKET=.demo/bucket MMM_EVENTS_TOPIC=.demo/events.jsonl MMM_REQUESTS_TOPIC=.demo/requests.jsonl
mkdir -p .demo
rm -f "$MMM_REQUESTS_TOPIC"  # messages of earlier demos, which have already run

[ -f .demo/warehouse.duckdb ] || .venv/bin/python -m examples.generate --warehouse .demo/warehouse.duckdb
.venv/bin/mmm publish examples/configs/demo.yaml --force >/dev/null
echo "Published a message to $MMM_REQUESTS_TOPIC. The trigger reads it from there."
exec .venv/bin/mmm serve --once --requests "$MMM_REQUESTS_TOPIC"
