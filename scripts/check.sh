#!/usr/bin/env bash
# Run every check that is not a test, as many at once as there are cores. Fail if any check fails.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
bin=.venv/bin
tools=.venv-tools/bin
cores=$(nproc)
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
names=()
failed=()

start() {
  names+=("$1")
  local file="$results/${#names[@]}"
  shift
  while [ "$(jobs -rp | wc -l)" -ge "$cores" ]; do wait -n; done
  { "$@" >"$file.out" 2>&1; echo $? >"$file.code"; } &
}

start 'mypy --strict' $bin/mypy
start 'lintr' Rscript r/tests/lint.R
start 'checkov' $tools/checkov --directory infra --framework terraform --compact --quiet --skip-download
start 'generated documents' $bin/python scripts/generate_docs.py --check
start 'names in documents' $bin/python -m scripts.check_docs
start 'examples in docstrings' $bin/python -m pytest --quiet --doctest-modules app contract job mmm trigger
start 'bandit' $tools/bandit --quiet --recursive app contract job mmm trigger --severity-level medium
start 'pip-audit' scripts/audit.sh
start 'ruff format' $bin/ruff format --check .
start 'ruff' $bin/ruff check .
start 'hadolint' $tools/hadolint docker/Dockerfile docker/app.Dockerfile
start 'shellcheck' $tools/shellcheck .ci/run docker/*.sh docker/dpkg-architecture docker/slim-icu docker/slim-python scripts/*.sh
start 'zizmor' $tools/zizmor --offline --quiet .github
if command -v terraform >/dev/null; then
  start 'terraform fmt' terraform fmt -check -recursive infra
else
  echo 'skip  terraform fmt (terraform is not installed)'
fi
wait

for number in $(seq ${#names[@]}); do
  name=${names[number - 1]}
  if [ "$(cat "$results/$number.code")" -eq 0 ]; then
    echo "ok    $name"
    [ "$name" = pip-audit ] && sed 's/^/      /' "$results/$number.out"
  else
    echo "FAIL  $name"
    tail -40 "$results/$number.out"
    failed+=("$name")
  fi
done

if [ ${#failed[@]} -gt 0 ]; then
  echo "failed: ${failed[*]}"
  exit 1
fi
