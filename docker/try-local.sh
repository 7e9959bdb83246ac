#!/bin/bash
# Runs the demo in an image with buildah and checks what it leaves: docker/try-local.sh [IMAGE]
#
# The warehouse is a DuckDB file that the image's own generator writes, the bucket a folder. Ends
# with 0 only if the run succeeded, its manifest is there and the image is what it should be.
set -euo pipefail
cd "$(dirname "$0")/.."

image=${1:-localhost/mmm-trainer-job:local}
data=$(mktemp -d)
chmod 777 "$data" # the image's user is nobody of this machine
echo '{"default": [{"type": "insecureAcceptAnything"}]}' > "$data/policy.json"
container=$(buildah from --signature-policy "$data/policy.json" "$image")
trap 'buildah rm "$container" > /dev/null; rm -rf "$data"' EXIT

inside() {
  buildah run --isolation chroot --volume "$data:/data" \
    --env MMM_BUCKET=/data/bucket --env MMM_EVENTS_TOPIC=/data/events.jsonl "$container" -- "$@"
}

[ "$(inside id -u)" = 10001 ] || { echo "the image does not run as uid 10001" >&2; exit 1; }
for tool in cc gcc g++ gfortran make ld; do
  ! inside which "$tool" || { echo "the image holds a compiler: $tool" >&2; exit 1; }
done
inside cat /opt/r-library/robyn.json

sed 's#\.demo/warehouse\.duckdb#/data/warehouse.duckdb#' examples/configs/demo.yaml > "$data/demo.yaml"
inside /opt/venv/bin/python -m examples.generate --warehouse /data/warehouse.duckdb
entrypoint=$(buildah inspect --type image --format '{{join .OCIv1.Config.Entrypoint " "}}' "$image")
# shellcheck disable=SC2086
inside $entrypoint --config /data/demo.yaml

manifest=$(find "$data/bucket/robyn" -name manifest.json)
[ -n "$manifest" ] || { echo "there is no manifest" >&2; exit 1; }
grep -q '"mmm.run.succeeded"' "$data/events.jsonl" || { echo "there is no event" >&2; exit 1; }
(cd "$(dirname "$manifest")" && find . -type f -printf '%9s %P\n' | sort -k 2)
echo "SUCCEEDED in $image"
