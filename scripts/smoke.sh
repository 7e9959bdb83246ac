#!/usr/bin/env bash
# Request a run of configs/smoke.yaml and wait for its end.
#
#   scripts/smoke.sh PROJECT BUCKET
#
# Exits with 0 if the run ends as SUCCEEDED, HELD, SKIPPED or DUPLICATE, with 1 if it ends otherwise, or
# not within SMOKE_SECONDS (3600). SMOKE_TOPIC names the topic (mmm-requests).
set -euo pipefail

project=$1
bucket=$2
run="$(date -u +%Y%m%dT%H%M%SZ)-$(od -An -N4 -tx1 /dev/urandom | tr -d ' \n')"
end=$((SECONDS + ${SMOKE_SECONDS:-3600}))

gcloud pubsub topics publish "${SMOKE_TOPIC:-mmm-requests}" --project="$project" \
  --message="{\"config_uri\": \"gs://$bucket/configs/smoke.yaml\", \"run_id\": \"$run\"}"
echo "run $run is requested"
state=
while [ "$SECONDS" -lt "$end" ]; do
  # The status is missing until the function has accepted the request.
  status="$(gcloud storage cat "gs://$bucket/runs/$run/status.json" 2> /dev/null || echo '{}')"
  state="$(python3 -c 'import json, sys; print(json.load(sys.stdin).get("state", ""))' <<< "$status")"
  case $state in
    SUCCEEDED | HELD | SKIPPED | DUPLICATE) echo "run $run is $state"; exit 0 ;;
    FAILED | CANCELLED | REJECTED) echo "run $run is $state: $status" >&2; exit 1 ;;
  esac
  sleep "${SMOKE_PAUSE:-15}"
done
echo "run $run did not end in time; its state is ${state:-unknown}" >&2
exit 1
