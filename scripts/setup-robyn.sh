#!/usr/bin/env bash
# Install Robyn from a dated CRAN snapshot, if a mirror answers. Without Robyn, the builtin engine runs.
set -euo pipefail
cd "$(dirname "$0")/.."

found='source("r/library.R", chdir = TRUE); quit(status = !requireNamespace("Robyn", quietly = TRUE))'
if Rscript --vanilla -e "$found" >/dev/null 2>&1; then
  exit 0
fi
if [ "${MMM_SKIP_ROBYN:-}" = 1 ]; then
  echo "Robyn is not installed (MMM_SKIP_ROBYN=1). Runs use the builtin engine."
  exit 0
fi
stamp=.venv/.robyn-asked
if [ -e "$stamp" ] && [ -n "$(find "$stamp" -mmin -720)" ]; then
  echo "Robyn is not installed (no CRAN mirror answered at the last set-up). Runs use the builtin engine."
  exit 0
fi
if ! Rscript --vanilla -e 'quit(status = !requireNamespace("reticulate", quietly = TRUE))' >/dev/null 2>&1; then
  echo "Robyn is not installed (it needs the R package reticulate). Runs use the builtin engine."
  exit 0
fi
# Debian 12's own R packages are older, so Robyn needs more packages there.
lock=docker/robyn.lock
# shellcheck disable=SC1091
[ "$(. /etc/os-release 2>/dev/null && echo "${VERSION_CODENAME:-}")" != bookworm ] || lock=docker/robyn-debian12.lock
install=(Rscript --vanilla docker/install-robyn.R --library=.r-library --lock="$lock")
if ! "${install[@]}" --ask --timeout=10; then
  mkdir -p .venv && touch "$stamp"
  echo "Robyn could not be installed (no CRAN mirror answers). Runs use the builtin engine."
  exit 0
fi
if ! command -v make >/dev/null || ! command -v g++ >/dev/null; then
  sudo=()
  [ "$(id -u)" -eq 0 ] || sudo=(sudo -n)
  "${sudo[@]}" apt-get install -y -qq --no-install-recommends r-base-dev >/dev/null
fi
"${install[@]}" || echo "Robyn could not be installed (see above). Runs use the builtin engine."
