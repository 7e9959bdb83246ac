#!/bin/bash
# Run the demo in an image with buildah and check its results: docker/try-local.sh [IMAGE]
#
# The warehouse is a DuckDB file that the examples' generator writes; the bucket is a folder. Exits
# with 0 only if the run succeeded, its manifest exists and the image passes all checks.
set -euo pipefail
cd "$(dirname "$0")/.."

image=${1:-localhost/mmm-trainer-job:local}
data=$(mktemp -d)
chmod 777 "$data" # this machine has no account for the image's user
echo '{"default": [{"type": "insecureAcceptAnything"}]}' > "$data/policy.json"
container=$(buildah from --signature-policy "$data/policy.json" "$image")
trap 'buildah rm "$container" > /dev/null; rm -rf "$data"' EXIT

inside() {
  # TINI_SUBREAPER: with this isolation, the init is not process 1.
  buildah run --isolation chroot --volume "$data:/data" \
    --volume "$PWD/examples:/app/examples:ro" --env TINI_SUBREAPER=1 \
    --env MMM_BUCKET=/data/bucket --env MMM_EVENTS_TOPIC=/data/events.jsonl "$container" -- "$@"
}

[ "$(inside id -u)" = 10001 ] || { echo "the image does not run as uid 10001" >&2; exit 1; }
# shellcheck disable=SC2016
found=$(inside sh -c 'for tool in cc gcc g++ gfortran make ld; do command -v $tool || true; done')
[ -z "$found" ] || { echo "the image contains compilers: $found" >&2; exit 1; }
inside cat /app/.r-library/robyn.json
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml)
[ "$(inside mmm --version)" = "mmm $version" ] \
  || { echo "the image is not of version $version" >&2; exit 1; }

sed 's#\.demo/warehouse\.duckdb#/data/warehouse.duckdb#' examples/configs/demo.yaml > "$data/demo.yaml"
inside python -m examples.generate --warehouse /data/warehouse.duckdb
entrypoint=$(buildah inspect --type image --format '{{range .OCIv1.Config.Entrypoint}}{{.}} {{end}}' "$image")
# shellcheck disable=SC2086
inside $entrypoint --config /data/demo.yaml

manifest=$(find "$data/bucket/robyn" -name manifest.json)
[ -n "$manifest" ] || { echo "the run wrote no manifest" >&2; exit 1; }
grep -q "\"mmm_trainer\": *\"$version\"" "$manifest" \
  || { echo "the manifest does not have version $version" >&2; exit 1; }
grep -q '"mmm.run.succeeded"' "$data/events.jsonl" || { echo "the run published no event" >&2; exit 1; }
(cd "$(dirname "$manifest")" && find . -type f -printf '%9s %P\n' | sort -k 2)
echo "SUCCEEDED in $image"
