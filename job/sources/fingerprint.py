"""Hash a table's values, independent of file format, batch sizes and the last digits of sums."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from contract.base import canonical_json

_DROPPED_BITS = 22  # of the mantissa's 52; nine decimal digits remain


class Fingerprint:
    """A hash that grows with each batch; it does not depend on how rows are split into batches.

    Numbers count with nine digits. A sum of floats may differ in its last digits between two
    executions of the same query, and the difference grows with the number of rows. Rounding keeps
    dropped digits from changing the nine that remain. Nine digits are a cent in ten million.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = canonical_json([[field.name, str(field.type)] for field in schema])
        self._columns = [(hashlib.sha256(), hashlib.sha256(), hashlib.sha256()) for _ in schema]
        self._rows = 0

    def update(self, batch: pa.RecordBatch) -> None:
        """Add the rows of a batch to the hash."""
        for column, (values, lengths, nulls) in zip(batch.columns, self._columns, strict=True):
            if column.null_count:
                where = np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))
                nulls.update((where + self._rows).astype("<i8").tobytes())
            if pa.types.is_string(column.type):
                text = column.fill_null("") if column.null_count else column
                lengths.update(pc.binary_length(text).to_numpy().astype("<i4").tobytes())
                values.update(_text_bytes(text))
            elif pa.types.is_floating(column.type):
                numbers = column.to_numpy(zero_copy_only=False)  # NaN where null
                values.update(_rounded(numbers.astype("<f8", copy=False)).data)
            else:
                date = pa.types.is_date32(column.type)
                whole = (
                    column.cast(pa.int32()).cast(pa.int64()) if date else column.cast(pa.int64())
                )
                filled = whole.fill_null(0) if whole.null_count else whole
                values.update(filled.to_numpy().astype("<i8", copy=False).data)
        self._rows += batch.num_rows

    def hexdigest(self) -> str:
        """Return the hash as 64 hex digits."""
        total = hashlib.sha256(self._schema)
        for parts in self._columns:
            total.update(b"".join(part.digest() for part in parts))
        return total.hexdigest()


def _rounded(numbers: NDArray[Any]) -> NDArray[Any]:
    """Return the bits of the numbers with rounded mantissas; zeros and NaNs have one form each."""
    bits = (numbers + 0.0).view("<i8")
    bits += 1 << (_DROPPED_BITS - 1)
    bits &= ~((1 << _DROPPED_BITS) - 1)
    bits[np.isnan(numbers)] = -1
    return bits


def _text_bytes(column: pa.Array) -> pa.Buffer | bytes:
    _, offsets, data = column.buffers()
    if data is None:
        return b""
    bounds = np.frombuffer(offsets, dtype="<i4")[column.offset : column.offset + len(column) + 1]
    return data.slice(int(bounds[0]), int(bounds[-1] - bounds[0]))
