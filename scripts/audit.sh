#!/usr/bin/env bash
# Check the locked packages for known vulnerabilities. If the advisory database is unreachable, skip
# with the reason: an audit that did not run neither fails nor passes.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
status=0
errors=$(mktemp)
trap 'rm -f "$errors"' EXIT
for lock in trigger/requirements.txt job/requirements.txt app/requirements.txt requirements-dev.txt requirements-tools.txt; do
  answer=$(timeout 60 .venv-tools/bin/pip-audit --disable-pip --require-hashes --requirement "$lock" \
    --format json --progress-spinner off --timeout 10 2>"$errors")
  code=$?
  reason=$(tail -1 "$errors")
  # 10: the advisory database knows none of the packages.
  findings=$(.venv/bin/python -c '
import json, sys
packages = json.load(sys.stdin)["dependencies"]
known = [p for p in packages if "skip_reason" not in p]
for p in known:
    for v in p["vulns"]:
        fixed = ", ".join(v["fix_versions"]) or "no version yet"
        print(p["name"], p["version"], "has", v["id"] + ";", "fixed in", fixed)
print("the advisory database knows", len(known), "of", len(packages), "packages")
sys.exit(0 if known else 10)' <<<"$answer" 2>/dev/null)
  read_code=$?
  if [ $read_code -eq 10 ]; then
    echo "skip  pip-audit $lock (the advisory database knows none of its packages)"
  elif [ $read_code -ne 0 ]; then
    [ $code -eq 124 ] && reason='no answer within 60 s'
    echo "skip  pip-audit $lock (${reason:-the advisory database does not answer})"
  elif [ $code -eq 0 ]; then
    echo "ok    pip-audit $lock ($findings)"
  else
    echo "FAIL  pip-audit $lock"
    echo "$findings"
    status=1
  fi
done
exit $status
