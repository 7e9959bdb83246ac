"""A hash of what a table says, whatever file, batches or order of additions it came from."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from contract.base import canonical_json

_DROPPED_BITS = 12  # of 52: twelve decimal digits stay


class Fingerprint:
    """Fed with batches, independent of how rows are split into them.

    Numbers count with 12 digits, for a sum of floats may differ in its last ones from one
    execution of the same query to the next.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self._head = canonical_json([[field.name, str(field.type)] for field in schema])
        self._columns = [(hashlib.sha256(), hashlib.sha256()) for _ in schema]

    def update(self, batch: pa.RecordBatch) -> None:
        """Add the rows of a batch."""
        for column, (values, lengths) in zip(batch.columns, self._columns, strict=True):
            if pa.types.is_string(column.type):
                sizes = pc.binary_length(column).fill_null(-1)
                lengths.update(sizes.to_numpy(zero_copy_only=False).astype("<i4").tobytes())
                values.update(_text_bytes(column))
            elif pa.types.is_floating(column.type):
                numbers = column.to_numpy(zero_copy_only=False)  # NaN where null
                values.update(_rounded(numbers.astype("<f8")).tobytes())
            else:
                whole = column.cast(pa.int32() if pa.types.is_date32(column.type) else pa.int64())
                values.update(pc.is_null(whole).to_numpy(zero_copy_only=False).tobytes())
                values.update(whole.fill_null(0).to_numpy(zero_copy_only=False).tobytes())

    def hexdigest(self) -> str:
        """64 hex digits."""
        total = hashlib.sha256(self._head)
        for values, lengths in self._columns:
            total.update(values.digest() + lengths.digest())
        return total.hexdigest()


def _rounded(numbers: NDArray[Any]) -> NDArray[Any]:
    """Bits of the numbers, mantissas rounded; zeros and NaNs have one form each."""
    bits = (numbers + 0.0).view("<i8")
    half, mask = 1 << (_DROPPED_BITS - 1), ~((1 << _DROPPED_BITS) - 1)
    rounded = (bits + half) & mask
    return np.where(np.isnan(numbers), np.int64(-1), rounded)


def _text_bytes(column: pa.Array) -> bytes:
    filled = column.fill_null("")
    _, offsets, data = filled.buffers()
    if data is None:
        return b""
    bounds = np.frombuffer(offsets, dtype="<i4")[filled.offset : filled.offset + len(filled) + 1]
    return bytes(data.slice(int(bounds[0]), int(bounds[-1] - bounds[0])))
