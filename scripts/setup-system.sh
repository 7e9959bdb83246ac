#!/usr/bin/env bash
# Install the missing Debian packages: Python's venv, R and the r-cran-* of r/debian-packages.txt. If
# apt cannot be used, name the missing packages and exit with 1. Optional packages that this release
# of Debian does not have are left out.
set -euo pipefail
cd "$(dirname "$0")/.."

# dpkg-dev: prophet loads Debian's RcppParallel, which calls dpkg-architecture.
wanted=(ca-certificates dpkg-dev python3 python3-venv r-base-core)
optional=" "
while read -r package kind; do
  wanted+=("$package")
  [ "$kind" = required ] || optional+="$package "
done < <(awk '/^# optional/ { kind = "optional" } /^# every engine/ { kind = "required" }
  /^[a-z]/ { print $1, kind }' r/debian-packages.txt)

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  # shellcheck disable=SC1091,SC2015
  name=$(. /etc/os-release 2>/dev/null && echo "$PRETTY_NAME" || uname -s)
  if command -v Rscript >/dev/null && command -v python3 >/dev/null; then
    echo "$name is not Debian: R is here, so the set-up continues. R needs these packages" \
      "(names of Debian): ${wanted[*]}"
    exit 0
  fi
  echo "$name is not Debian, so this script cannot install what it needs. Please install Python 3.13" \
    "and R 4.2 or newer with these R packages: $(printf '%s\n' "${wanted[@]}" |
      sed -n 's/^r-cran-//p' | paste -sd ' ' -). On Fedora: dnf install python3 R; on macOS: brew" \
    "install python r; then install the packages in R with install.packages()." >&2
  exit 1
fi

leave_out() {
  local package found=()
  for package in "${missing[@]}"; do
    if [[ $optional != *" $package "* ]] || apt-cache show "$package" >/dev/null 2>&1; then
      found+=("$package")
    fi
  done
  missing=("${found[@]}")
}

# reticulate loads Python's shared library, whose package has Python's version in its name.
libpython() {
  apt-cache depends python3 2>/dev/null | sed -n 's/^ *Depends: python\(3\.[0-9]*\)$/libpython\1/p'
}
mapfile -t -O ${#wanted[@]} wanted < <(libpython)

missing=()
for package in "${wanted[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
# Leave out the optional packages that this release does not have, where apt has its lists.
compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null && leave_out
[ ${#missing[@]} -eq 0 ] && exit 0

echo "Installing Debian packages: ${missing[*]}"
sudo=()
if [ "$(id -u)" -ne 0 ]; then
  if sudo -n true 2>/dev/null; then
    sudo=(sudo -n)
  else
    echo "apt-get needs root. Run: sudo apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
fi
export DEBIAN_FRONTEND=noninteractive
"${sudo[@]}" apt-get update -qq
[[ " ${wanted[*]} " == *" libpython"* ]] || mapfile -t -O ${#missing[@]} missing < <(libpython)
leave_out
"${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
