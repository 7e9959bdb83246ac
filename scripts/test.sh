#!/usr/bin/env bash
# Run every test. R's tests run at the same time as Python's; their output follows. Arguments go to
# pytest.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
mkdir -p build
log=build/r-tests.log

Rscript r/tests/run.R >"$log" 2>&1 &
r_tests=$!
trap 'kill "$r_tests" 2>/dev/null' EXIT
# Most of the time of a test goes by while it waits for another process, so two share a core.
.venv/bin/python -m pytest --numprocesses "${WORKERS:-$(($(nproc) * 2))}" --durations 40 "$@"
python_code=$?

wait "$r_tests"
r_code=$?
echo "R tests ($log):"
cat "$log"
if [ "$python_code" -ne 0 ] || [ "$r_code" -ne 0 ]; then
  echo "failed: pytest exited with code $python_code, the R tests with code $r_code" >&2
  exit 1
fi
