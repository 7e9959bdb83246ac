#!/bin/bash
# Build the job's image with buildah alone: no Docker daemon, no registry.
#
#   docker/build-local.sh [IMAGE]          default localhost/mmm-trainer-job:local
#
# BASE=image      base image; without it, debootstrap makes a minimal Debian 13, which is kept as
#                 localhost/debian:trixie-minbase
# DEBIAN_MIRROR   default http://deb.debian.org/debian
# CRAN            comma-separated mirrors for Robyn, see docker/install-robyn.R
# CERTS           file of certificates to trust during the build (for a company's proxy); default
#                 the host's; it is not kept in the image
# BUILD_ARGS      more arguments of `buildah build`
#
# Needs buildah. Without BASE, it also needs debootstrap and root.
set -euo pipefail
cd "$(dirname "$0")/.."

image=${1:-localhost/mmm-trainer-job:local}
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
minbase=localhost/debian:trixie-minbase
policy=$(mktemp)
trap 'rm -f "$policy"' EXIT
echo '{"default": [{"type": "insecureAcceptAnything"}]}' > "$policy"

for tool in buildah $([ -n "${BASE:-}" ] || echo debootstrap); do
  command -v "$tool" > /dev/null || { echo "$tool is not installed. Run: apt-get install $tool" >&2; exit 1; }
done

make_base() {
  local root container
  root=$(mktemp -d)
  debootstrap --variant=minbase --include=ca-certificates trixie "$root" "$mirror"
  # What debian:trixie-slim leaves out.
  rm -rf "$root"/usr/share/{man,info,locale}/*
  find "$root/usr/share/doc" ! -type d ! -name copyright -delete
  cat > "$root/etc/apt/sources.list" <<LIST
deb $mirror trixie main
deb $mirror trixie-updates main
deb ${mirror%/debian}/debian-security trixie-security main
LIST
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
  container=$(buildah from scratch)
  buildah add --quiet "$container" "$root" /
  buildah config --cmd /bin/bash "$container"
  buildah commit --quiet --signature-policy "$policy" --rm "$container" "$minbase"
  rm -rf "$root"
}

if [ -z "${BASE:-}" ]; then
  buildah inspect --type image "$minbase" > /dev/null 2>&1 || make_base
  BASE=$minbase
fi

certs=()
bundle=${CERTS:-/etc/ssl/certs/ca-certificates.crt}
if [ -f "$bundle" ]; then
  inside=/run/host-certificates.crt
  certs=(--volume "$bundle:$inside:ro" --build-arg PIP_CERT="$inside"
         --build-arg CURL_CA_BUNDLE="$inside")
fi

# shellcheck disable=SC2086
buildah build --platform linux/amd64 --layers --isolation chroot --network host --signature-policy "$policy" \
  "${certs[@]}" \
  --build-arg BASE="$BASE" ${CRAN:+--build-arg CRAN="$CRAN"} \
  --build-arg REVISION="$(git rev-parse HEAD 2> /dev/null || echo unknown)" \
  ${BUILD_ARGS:-} --file docker/Dockerfile --tag "$image" .
buildah images --format '{{.Name}}:{{.Tag}} {{.Size}}' "$image"
