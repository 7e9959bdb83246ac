"""Build the function's source archive: `python -m trigger.archive OUT.zip`.

Equal sources give equal bytes, so that a deployment changes only when the sources do.
"""

from __future__ import annotations

import argparse
import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAIN = '''"""The entry points of the function."""

from trigger.main import on_message, reconcile

__all__ = ["on_message", "reconcile"]
'''
_LOCAL_ONLY = {"archive.py"}
_SHIPPED = {".css", ".j2", ".py"}
_TIME = (1980, 1, 1, 0, 0, 0)


def members(root: Path = ROOT) -> Iterator[tuple[str, bytes]]:
    """Yield the names and contents of the archive's files, in order."""
    yield "main.py", MAIN.encode()
    yield "requirements.txt", (root / "trigger" / "requirements.txt").read_bytes()
    for package in ("contract", "trigger"):
        for file in sorted((root / package).rglob("*")):
            if file.suffix in _SHIPPED and file.name not in _LOCAL_ONLY:
                yield file.relative_to(root).as_posix(), file.read_bytes()


def build(out: Path, root: Path = ROOT) -> str:
    """Write the archive and return its SHA-256."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members(root):
            info = zipfile.ZipInfo(name, date_time=_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, data)
    return hashlib.sha256(out.read_bytes()).hexdigest()


def main() -> None:
    """Build the archive from the command line."""
    parser = argparse.ArgumentParser(description="Build the function's source archive.")
    parser.add_argument("out", type=Path)
    out: Path = parser.parse_args().out
    print(f"{build(out)}  {out}")


if __name__ == "__main__":
    main()
