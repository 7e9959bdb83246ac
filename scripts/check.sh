#!/usr/bin/env bash
# Everything that can be judged without running the code. All checks run; any failure fails.
set -uo pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin
failed=()

run() {
  local name=$1
  shift
  if output=$("$@" 2>&1); then
    echo "ok    $name"
  else
    echo "FAIL  $name"
    echo "$output" | tail -40
    failed+=("$name")
  fi
}

run 'ruff format' $bin/ruff format --check .
run 'ruff' $bin/ruff check .
run 'mypy --strict' $bin/mypy
run 'lintr' Rscript r/tests/lint.R
run 'generated documents' $bin/python scripts/generate_docs.py --check
run 'bandit' .venv-tools/bin/bandit --quiet --recursive contract job mmm trigger --severity-level medium
scripts/audit.sh || failed+=('pip-audit')
run 'hadolint' .venv-tools/bin/hadolint docker/Dockerfile
if command -v terraform >/dev/null; then
  run 'terraform fmt' terraform fmt -check -recursive infra
else
  echo 'skip  terraform fmt (terraform is not installed)'
fi
run 'checkov' .venv-tools/bin/checkov --directory infra --framework terraform --compact --quiet --skip-download

if [ ${#failed[@]} -gt 0 ]; then
  echo "failed: ${failed[*]}"
  exit 1
fi
