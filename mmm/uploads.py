"""Put a table that a person has into the bucket, so that the job can read it."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from urllib.parse import unquote

from contract import layout
from contract.base import sha256_hex
from contract.exceptions import ConfigError
from contract.printable import short
from contract.source import WORKBOOKS
from contract.stores import Store
from contract.stores.atomic import create

ENDINGS = (".csv", ".tsv", ".csv.gz", ".parquet", ".pq", *WORKBOOKS)
MOST_BYTES = 200 * 2**20
_OTHER = re.compile(r"[^A-Za-z0-9._-]+")


def upload(store: Store, name: str, data: bytes) -> str:
    """Store a table and return its path for `source.path`; equal content is stored once.

    Raises:
        ConfigError: the file is empty or too large, or is not of a kind that can be read.
    """
    if not name.lower().endswith(ENDINGS):
        raise ConfigError(f"the file is `{short(name)}`; allowed: {', '.join(ENDINGS)}")
    if not data or len(data) > MOST_BYTES:
        size = f"{len(data) / 2**20:,.0f} MB; allowed: at most {MOST_BYTES // 2**20} MB"
        raise ConfigError(f"`{short(name)}` has {size if data else 'no content'}")
    safe = _OTHER.sub("_", PurePosixPath(name).name).lstrip("._")[-80:]
    path = layout.upload(sha256_hex(data), safe)
    create(store, path, data, content_type="application/octet-stream")
    if store.url.startswith("file://"):
        return f"{unquote(store.url.removeprefix('file://'))}/{path}"
    return f"{store.url}/{path}"
