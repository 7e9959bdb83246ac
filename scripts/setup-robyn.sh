#!/usr/bin/env bash
# Robyn from a dated CRAN snapshot, where one answers. Without it everything runs on the builtin engine.
set -euo pipefail
cd "$(dirname "$0")/.."

if Rscript --vanilla -e 'quit(status = !requireNamespace("Robyn", quietly = TRUE))' >/dev/null 2>&1; then
  exit 0
fi
if [ "${MMM_SKIP_ROBYN:-}" = 1 ]; then
  echo "Robyn is not installed (MMM_SKIP_ROBYN=1): the builtin engine is used."
  exit 0
fi
stamp=.venv/.robyn-asked
if [ -e "$stamp" ] && [ -n "$(find "$stamp" -mmin -720)" ]; then
  echo "Robyn is not installed (CRAN did not answer at the last set-up): the builtin engine is used."
  exit 0
fi
if Rscript --vanilla docker/install-robyn.R; then
  exit 0
fi
touch "$stamp"
echo "Robyn could not be installed (CRAN does not answer): the builtin engine is used."
