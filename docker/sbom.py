"""Print the image's bill of materials: `python sbom.py FOLDER…`, the folders of its environments.

The bill is CycloneDX 1.6 JSON: Debian's packages by dpkg, Python's by their metadata in FOLDER and
below, and R's outside Debian by their DESCRIPTION. The same image gives the same bill.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from email.parser import HeaderParser
from importlib.metadata import distributions
from pathlib import Path
from typing import Any
from urllib.parse import quote

OWN = {"mmm-trainer", "mmmtrainer"}


def main() -> int:
    """Print the bill; return the exit code."""
    folders = [Path(name) for name in sys.argv[1:]]
    library = Path(os.environ["MMM_R_ROOT"]).parent / ".r-library"
    components = [*debian(), *python(folders), *r(library)]
    print(json.dumps(bill(components, version(folders)), indent=1))
    return 0


def bill(components: list[dict[str, Any]], own_version: str) -> dict[str, Any]:
    """Return the bill of these components, in the order of their addresses, each once."""
    by_address = {component["purl"]: component for component in components}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "container",
                "bom-ref": "mmm-trainer",
                "name": "mmm-trainer",
                "version": own_version,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            }
        },
        "components": [by_address[address] for address in sorted(by_address)],
    }


def debian() -> list[dict[str, Any]]:
    """Return the packages that dpkg has installed; scanners find a package by its source."""
    names = "${db:Status-Abbrev}\t${Package}\t${Version}\t${Architecture}\t${source:Package}\n"
    command = ["dpkg-query", "--show", f"--showformat={names}"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = (line.split("\t") for line in listed.splitlines())
    return [
        component("deb/debian", name, version, f"?arch={architecture}&upstream={quote(source)}")
        for status, name, version, architecture, source in rows
        if status.startswith("ii")
    ]


def python(folders: list[Path]) -> list[dict[str, Any]]:
    """Return the packages of Python environments."""
    paths = [str(path) for folder in folders for path in folder.glob("lib/python*/site-packages")]
    return [
        component("pypi", name.lower().replace("_", "-"), found.version)
        for found in distributions(path=paths)
        if (name := found.metadata["Name"]) not in OWN
    ]


def r(library: Path) -> list[dict[str, Any]]:
    """Return the packages of an R library."""
    files = sorted(library.glob("*/DESCRIPTION"))
    headers = [HeaderParser().parsestr(file.read_text(errors="replace")) for file in files]
    return [
        component("cran", header["Package"], header["Version"])
        for header in headers
        if header["Package"] not in OWN
    ]


def component(kind: str, name: str, version: str, more: str = "") -> dict[str, Any]:
    """Return one package with its address (purl)."""
    address = f"pkg:{kind}/{quote(name)}@{quote(version)}{more}"
    return {
        "type": "library",
        "bom-ref": address,
        "name": name,
        "version": version,
        "purl": address,
    }


def version(folders: list[Path]) -> str:
    """Return the project's own version."""
    paths = [str(path) for folder in folders for path in folder.glob("lib/python*/site-packages")]
    return next(d.version for d in distributions(path=paths) if d.metadata["Name"] == "mmm-trainer")


if __name__ == "__main__":
    sys.exit(main())
