#!/usr/bin/env bash
# Build the tables of a market with dbt, request its model, and wait for the event of this run.
set -euo pipefail
BUCKET="${BUCKET:?the bucket of MMM Trainer}"

dbt build --select +mmm_weekly

RUN="$(date -u +%Y%m%dT%H%M%SZ)-000000de" # a time and eight hex digits of your own
gcloud pubsub subscriptions create "dbt-$RUN" --topic=mmm-events --message-filter="attributes.run_id = \"$RUN\""
gcloud pubsub topics publish mmm-requests --message="{\"config_uri\": \"gs://$BUCKET/configs/de.yaml\", \"run_id\": \"$RUN\"}"
STATE=""
while [ -z "$STATE" ]; do
  sleep "${PAUSE:-30}"
  STATE="$(gcloud pubsub subscriptions pull "dbt-$RUN" --limit=1 --format='value(message.attributes.state)' --auto-ack)"
done
gcloud pubsub subscriptions delete "dbt-$RUN"
echo "run $RUN is $STATE"
[ "$STATE" = SUCCEEDED ] || [ "$STATE" = DUPLICATE ] || [ "$STATE" = SKIPPED ]
