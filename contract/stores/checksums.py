"""CRC32C as Cloud Storage writes it: base64 of four big-endian bytes."""

from __future__ import annotations

import base64
import io
from typing import BinaryIO

from google_crc32c import Checksum

_PIECE = 1 << 20


def crc32c_of(data: bytes) -> str:
    """Return the CRC32C of bytes.

    >>> crc32c_of(b"123456789")
    '4waSgw=='
    """
    return crc32c_of_stream(io.BytesIO(data))


def crc32c_of_stream(stream: BinaryIO) -> str:
    """Return the CRC32C of a stream, read piece by piece to its end."""
    checksum = Checksum()  # type: ignore[no-untyped-call]
    while piece := stream.read(_PIECE):
        checksum.update(piece)  # type: ignore[no-untyped-call]
    return base64.b64encode(checksum.digest()).decode()  # type: ignore[no-untyped-call]
