#!/usr/bin/env bash
# Create a virtual environment from a hashed requirements file; `project` also installs this project:
# setup-python.sh FOLDER REQUIREMENTS [project]. The variable PYTHON names an interpreter to prefer.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$1 requirements=$2

supported='sys.version_info[:2] in ((3, 11), (3, 12), (3, 13), (3, 14))'
python=""
for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python3.14 /usr/bin/python3; do
  if "$candidate" -c "import sys, venv, ensurepip; sys.exit(not $supported)" 2>/dev/null; then
    python=$candidate
    break
  fi
done
if [ -z "$python" ]; then
  found=$(python3 --version 2>/dev/null || echo 'no Python')
  echo "This project needs Python 3.11 to 3.14 with venv; found: $found. On Debian 12 or 13:" \
    "apt-get install python3 python3-venv. Elsewhere: install Python 3.13." >&2
  exit 1
fi
[ -x "$folder/bin/python" ] || "$python" -m venv "$folder"
echo "Installing the Python packages of $requirements …"
if [ ! -x "$folder/bin/uv" ]; then
  "$folder/bin/python" -m ensurepip >/dev/null
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes \
    --requirement scripts/requirements-uv.txt
fi
# Compile once here, so that no process has to compile when it starts.
"$folder/bin/uv" pip sync --quiet --compile-bytecode --python "$folder/bin/python" --require-hashes \
  "$requirements" scripts/requirements-uv.txt
if [ "${3:-}" = project ]; then
  "$folder/bin/uv" pip install --quiet --python "$folder/bin/python" --no-deps --no-build-isolation --editable .
fi
