"""A table of any size that exists only while it is read: it repeats the same chunk."""

from __future__ import annotations

import base64
import gzip
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from fakesnow.arrow import to_ipc, to_sf


@dataclass
class Big:
    """Rows with 20 columns by default: decimals, integers with nulls, dates, timestamps, texts."""

    table: str = "BIG"
    rows: int = 5_000_000
    columns: int = 20
    chunk_rows: int = 50_000
    queries: list[str] = field(default_factory=list)

    @cached_property
    def part(self) -> pa.Table:
        """Return the rows of one chunk."""
        random = np.random.default_rng(7)
        n = self.chunk_rows
        makers = (
            lambda: pa.array(random.integers(0, 10**9, n) / 100).cast(pa.decimal128(38, 2)),
            lambda: pa.array(random.integers(0, 10**6, n), mask=random.random(n) < 0.1),
            lambda: pa.array(random.normal(size=n)),
            lambda: pa.array(random.choice(["alpha", "beta", "gamma", "a longer text"], n)),
            lambda: pa.array(random.integers(0, 2, n).astype(bool)),
            lambda: pa.array(19000 + random.integers(0, 1000, n), pa.int32()).cast(pa.date32()),
            lambda: pa.array(random.integers(0, 2 * 10**15, n), pa.timestamp("us")),
        )
        names = [f"C{i}" for i in range(self.columns)]
        arrays = [makers[i % len(makers)]() for i in range(self.columns)]
        return pa.table(dict(zip(names, arrays, strict=True)))

    @cached_property
    def rowtype(self) -> list[dict[str, Any]]:
        """Return the server's description of the columns."""
        return [_describe(f) for f in self.part.schema]

    @cached_property
    def encoded(self) -> bytes:
        """Return one chunk in the form that clients download."""
        return gzip.compress(self._plain, 1)

    @cached_property
    def _plain(self) -> bytes:
        return bytes(to_ipc(to_sf(self.part, self.rowtype)))

    def chunk(self, _: str) -> bytes:
        """Return the body of any chunk."""
        return self.encoded

    def answer(self, url: str, sql: str) -> dict[str, Any]:
        """Return the response to a query."""
        self.queries.append(sql)
        number = self.rows // self.chunk_rows
        listed = [
            {
                "url": f"{url}/chunks/big-{i}",
                "rowCount": self.chunk_rows,
                "uncompressedSize": len(self._plain),
                "compressedSize": len(self.encoded),
            }
            for i in range(1, number)
        ]
        return {
            "success": True,
            "data": {
                "parameters": [{"name": "TIMEZONE", "value": "Etc/UTC"}],
                "rowtype": self.rowtype,
                "total": number * self.chunk_rows,
                "returned": number * self.chunk_rows,
                "queryId": "00000000-0000-0000-0000-0000000000b1",
                "statementTypeId": 0x1000,
                "queryResultFormat": "arrow",
                "rowsetBase64": base64.b64encode(self._plain).decode(),
                "chunks": listed,
                "chunkHeaders": {"x-fake": "1"},
            },
        }


def _describe(column: pa.Field) -> dict[str, Any]:
    kinds = {
        "decimal128(38, 2)": ("fixed", 38, 2),
        "int64": ("fixed", 38, 0),
        "double": ("real", None, None),
        "string": ("text", None, None),
        "bool": ("boolean", None, None),
        "date32[day]": ("date", None, None),
        "timestamp[us]": ("timestamp_ntz", 0, 9),
    }
    kind, precision, scale = kinds[str(column.type)]
    return {
        "name": column.name,
        "database": "",
        "schema": "",
        "table": "",
        "nullable": True,
        "type": kind,
        "byteLength": None,
        "length": None,
        "scale": scale,
        "precision": precision,
        "collation": None,
    }
