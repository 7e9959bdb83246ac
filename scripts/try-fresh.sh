#!/usr/bin/env bash
# Try the README's commands on a bare Debian: a minimal root, a fresh clone, nothing but make and git.
#
#   scripts/try-fresh.sh [bookworm|trixie|forky] [TARGET…]      default: trixie demo test
#
# Prints the time of each target, and the row for docs/machines.md. Tries what is committed. Logs go
# to build/try-fresh. Exits with 0 if every target succeeds, or if a tool is missing (it says which).
#
# DEBIAN_MIRROR     default http://deb.debian.org/debian
# TRY_FRESH_SETUP   for networks with a proxy or a mirror: a program that gets the root's folder
#                   before the first command, for example to copy certificates or apt.conf.d there.
#                   The variables *_proxy, PIP_*, UV_*, SSL_CERT_FILE and REQUESTS_CA_BUNDLE
#                   are passed on.
# TRY_FRESH_FOLDER  where the root is made; default a temporary folder.
# TRY_FRESH_KEEP    1 keeps the root afterwards and prints its folder; otherwise it is removed.
set -euo pipefail
cd "$(dirname "$0")/.."

release=${1:-trixie}
shift || true
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(demo test)
case $release in
  bookworm | trixie | forky) ;;
  *) echo "unknown release: $release; allowed: bookworm, trixie, forky" >&2; exit 2 ;;
esac

skip() { echo "skip  try-fresh $release ($1)"; exit 0; }
for tool in debootstrap git unshare chroot; do
  command -v "$tool" >/dev/null || skip "$tool is not installed; on Debian: apt-get install $tool"
done
[ "$(id -u)" -eq 0 ] || skip "debootstrap and chroot need root"

# Each command has its own tree of mounts and processes: nothing stays mounted or running after it.
inside() {
  local name variables=()
  for name in $(compgen -e | grep -E '^([a-z]+_proxy|PIP_CERT|PIP_[A-Z_]*INDEX_URL|UV_.*|SSL_CERT_FILE|REQUESTS_CA_BUNDLE)$'); do
    variables+=("$name=${!name}")
  done
  # shellcheck disable=SC2016
  unshare --mount --pid --fork --kill-child --mount-proc="$root/proc" bash -c '
    mount --rbind /dev "$0/dev"
    exec chroot "$0" "${@:1}"' "$root" \
    env -i HOME=/root LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin "${variables[@]}" "$@"
}

# shellcheck disable=SC2329
leave() {
  if [ "${TRY_FRESH_KEEP:-}" = 1 ]; then
    echo "The root stays in $root"
  else
    rm -rf --one-file-system "$folder"
  fi
}

# A function, because bash reads a script while it runs it: edits do not reach a trial that runs.
try_targets() {
  local cells="" status=0 target log python r
  folder=$(mktemp -d "${TRY_FRESH_FOLDER:-${TMPDIR:-/tmp}}/try-fresh-XXXXXX")
  root=$folder/$release
  trap leave EXIT
  logs=$PWD/build/try-fresh
  mkdir -p "$logs"

  echo "Making a bare $release …"
  SECONDS=0
  # All releases have the same script; an older debootstrap has no name for the newest.
  debootstrap --variant=minbase --include=make,git "$release" "$root" \
    "${DEBIAN_MIRROR:-http://deb.debian.org/debian}" /usr/share/debootstrap/scripts/sid \
    >"$logs/$release-root.log" 2>&1 || { tail -5 "$logs/$release-root.log" >&2; exit 1; }
  cp --dereference /etc/resolv.conf /etc/hosts "$root/etc/"
  [ -z "${TRY_FRESH_SETUP:-}" ] || "$TRY_FRESH_SETUP" "$root"
  git clone --quiet --no-hardlinks "$PWD" "$root/root/mmm-trainer"
  echo "ok    root: $SECONDS s"

  for target in "${targets[@]}"; do
    log=$logs/$release-$target.log
    SECONDS=0
    if inside make --no-print-directory -C /root/mmm-trainer "$target" >"$log" 2>&1 </dev/null; then
      echo "ok    make $target: $SECONDS s. Last line: $(tail -1 "$log")"
      cells+=" make $target $SECONDS s,"
    else
      echo "FAIL  make $target: after $SECONDS s; see $log"
      tail -40 "$log"
      cells+=" make $target failed,"
      status=1
    fi
  done

  python=$(inside /root/mmm-trainer/.venv/bin/python -c 'import platform; print(platform.python_version())' 2>/dev/null || echo missing)
  r=$(inside Rscript --vanilla -e 'cat(as.character(getRversion()))' 2>/dev/null || echo missing)
  echo "| $(date +%F) | Debian $(cat "$root/etc/debian_version") ($release) | R $r | Python $python |${cells%,} |"
  return $status
}
try_targets; exit
