#!/bin/bash
# Runs the demo in an image with buildah and checks what it leaves: docker/try-local.sh [IMAGE]
#
# The warehouse is a DuckDB file that the examples' generator writes, the bucket a folder. Ends with 0
# only if the run succeeded, its manifest is there and the image is what it should be.
set -euo pipefail
cd "$(dirname "$0")/.."

image=${1:-localhost/mmm-trainer-job:local}
data=$(mktemp -d)
chmod 777 "$data" # the image's user is nobody of this machine
echo '{"default": [{"type": "insecureAcceptAnything"}]}' > "$data/policy.json"
container=$(buildah from --signature-policy "$data/policy.json" "$image")
trap 'buildah rm "$container" > /dev/null; rm -rf "$data"' EXIT

inside() {
  # TINI_SUBREAPER: with this isolation the init is not process 1
  buildah run --isolation chroot --volume "$data:/data" \
    --volume "$PWD/examples:/app/examples:ro" --env TINI_SUBREAPER=1 \
    --env MMM_BUCKET=/data/bucket --env MMM_EVENTS_TOPIC=/data/events.jsonl "$container" -- "$@"
}

[ "$(inside id -u)" = 10001 ] || { echo "the image does not run as uid 10001" >&2; exit 1; }
# shellcheck disable=SC2016
found=$(inside sh -c 'for tool in cc gcc g++ gfortran make ld; do command -v $tool || true; done')
[ -z "$found" ] || { echo "the image holds compilers: $found" >&2; exit 1; }
inside cat /app/.r-library/robyn.json
inside mmm --help > /dev/null

sed 's#\.demo/warehouse\.duckdb#/data/warehouse.duckdb#' examples/configs/demo.yaml > "$data/demo.yaml"
inside python -m examples.generate --warehouse /data/warehouse.duckdb
entrypoint=$(buildah inspect --type image --format '{{range .OCIv1.Config.Entrypoint}}{{.}} {{end}}' "$image")
# shellcheck disable=SC2086
inside $entrypoint --config /data/demo.yaml

manifest=$(find "$data/bucket/robyn" -name manifest.json)
[ -n "$manifest" ] || { echo "there is no manifest" >&2; exit 1; }
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml)
grep -q "\"mmm_trainer\": *\"$version\"" "$manifest" \
  || { echo "the manifest is not of version $version" >&2; exit 1; }
grep -q '"mmm.run.succeeded"' "$data/events.jsonl" || { echo "there is no event" >&2; exit 1; }
(cd "$(dirname "$manifest")" && find . -type f -printf '%9s %P\n' | sort -k 2)
echo "SUCCEEDED in $image"
