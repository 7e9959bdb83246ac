#!/usr/bin/env bash
# The main job on embedded defaults: DuckDB as the warehouse, a folder as the bucket, JSONL files as
# topics, processes as Cloud Run tasks. Last line: SUCCEEDED <run id> <path of report.html>
set -euo pipefail
cd "$(dirname "$0")/.."
export MMM_BUCKET=.demo/bucket MMM_EVENTS_TOPIC=.demo/events.jsonl MMM_REQUESTS_TOPIC=.demo/requests.jsonl
mkdir -p .demo
rm -f "$MMM_REQUESTS_TOPIC"  # messages of earlier demos were done then

[ -f .demo/warehouse.duckdb ] || .venv/bin/python -m examples.generate --warehouse .demo/warehouse.duckdb
.venv/bin/mmm publish examples/configs/demo.yaml --force >/dev/null
echo "A message was published to $MMM_REQUESTS_TOPIC; the trigger takes it from there."
exec .venv/bin/mmm serve --once --requests "$MMM_REQUESTS_TOPIC"
