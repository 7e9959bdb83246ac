#!/usr/bin/env bash
# Known vulnerabilities of what is locked. Skipped with the reason where the advisories cannot be
# asked: an audit that did not happen is no failure, and no pass either.
set -uo pipefail
cd "$(dirname "$0")/.."
status=0
errors=$(mktemp)
trap 'rm -f "$errors"' EXIT
for lock in trigger/requirements.txt job/requirements.txt requirements-dev.txt requirements-tools.txt; do
  answer=$(timeout 60 .venv-tools/bin/pip-audit --disable-pip --require-hashes --requirement "$lock" \
    --format json --progress-spinner off --timeout 10 2>"$errors")
  code=$?
  reason=$(tail -1 "$errors")
  # 10: the advisories know none of the packages.
  said=$(.venv/bin/python -c '
import json, sys
packages = json.load(sys.stdin)["dependencies"]
known = [p for p in packages if "skip_reason" not in p]
for p in known:
    for v in p["vulns"]:
        fixed = ", ".join(v["fix_versions"]) or "nothing yet"
        print(p["name"], p["version"], "has", v["id"] + ";", "fixed in", fixed)
print(len(known), "of", len(packages), "packages are known to the advisories")
sys.exit(0 if known else 10)' <<<"$answer" 2>/dev/null)
  read_code=$?
  if [ $read_code -eq 10 ]; then
    echo "skip  pip-audit $lock (the advisories know none of its packages)"
  elif [ $read_code -ne 0 ]; then
    [ $code -eq 124 ] && reason='no answer in 60 s'
    echo "skip  pip-audit $lock (${reason:-the advisories do not answer})"
  elif [ $code -eq 0 ]; then
    echo "ok    pip-audit $lock ($said)"
  else
    echo "FAIL  pip-audit $lock"
    echo "$said"
    status=1
  fi
done
exit $status
