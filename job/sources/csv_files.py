"""Prepare files for DuckDB: text becomes UTF-8, and repeated headers are refused."""

from __future__ import annotations

import codecs
import gzip
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from contract.exceptions import DataError

_CHUNK = 1 << 20
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def as_utf8(path: Path, folder: Path) -> tuple[Path, str | None]:
    """Return (path of the file in UTF-8, its encoding if that is another one).

    A file without a byte order mark that is not UTF-8 is read as Windows-1252, the usual encoding
    of exports in Western Europe.

    Raises:
        DataError: The file is damaged.
    """
    encoding = _encoding(path)
    if encoding is None:
        return path, None
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / f"utf8-{path.name.removesuffix('.gz')}"
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    with _open(path) as source, copy.open("w", encoding="utf-8", newline="") as target:
        while chunk := source.read(_CHUNK):
            target.write(decoder.decode(chunk))
        target.write(decoder.decode(b"", final=True))
    return copy, encoding


def _open(path: Path) -> IO[bytes]:
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rb")  # type: ignore[return-value]
    return path.open("rb")


def _encoding(path: Path) -> str | None:
    """Return the file's encoding, or None if it is UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with _open(path) as file:
            chunk = file.read(_CHUNK)
            for mark, encoding in _BOMS:
                if chunk.startswith(mark):
                    return encoding
            while chunk:
                decoder.decode(chunk)
                chunk = file.read(_CHUNK)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    except (OSError, EOFError) as error:
        raise DataError(f"`{path.name}` cannot be read: {error}") from None
    return None


def refuse_repeated_headers(names: Iterable[str | None], source: str) -> None:
    """Refuse a table with two columns of one name; letter case does not count.

    Raises:
        DataError: A name occurs twice.
    """
    present = [name.strip() for name in names if name and name.strip()]
    counts = Counter(name.lower() for name in present)
    repeated = [name for name in dict.fromkeys(present) if counts[name.lower()] > 1]
    if repeated:
        listed = ", ".join(f"`{name}`" for name in repeated[:5])
        raise DataError(
            f"{source} has two columns named {listed}; rename one of them, so that it is clear "
            "which one the config means"
        )
