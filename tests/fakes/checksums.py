"""Cloud Storage's check of an upload: 400 if the content does not match the checksum sent with it.

https://cloud.google.com/storage/docs/data-validation#server-validation. A one-shot upload has its
checksum in its metadata; the last request of a resumable one has it in the header `X-Goog-Hash`.
"""

from __future__ import annotations

import json

from contract.stores.checksums import crc32c_of
from tests.fakes.proxy import Answer, Request, content_of


def refuse_changed(request: Request) -> Answer | None:
    """Return the refusal of an upload whose content changed, None if there is none."""
    first, last = content_of(request.body)
    expected = _expected(request, request.body[:first])
    found = crc32c_of(request.body[first:last]) if expected else None
    if expected == found:
        return None
    message = f'Provided CRC32C "{expected}" doesn\'t match calculated CRC32C "{found}".'
    error = {"error": {"code": 400, "message": message, "errors": [{"reason": "invalid"}]}}
    return 400, {"Content-Type": "application/json"}, json.dumps(error).encode()


def _expected(request: Request, metadata: bytes) -> str | None:
    if "/upload/" not in request.path or request.method not in ("POST", "PUT"):
        return None
    # A resumable upload of several requests has the checksum of the whole in the last one.
    whole = request.headers.get("content-range", "bytes 0-").startswith("bytes 0-")
    for one in request.headers.get("x-goog-hash", "").split(","):
        if whole and one.strip().startswith("crc32c="):
            return one.strip().removeprefix("crc32c=")
    start = metadata.find(b"{")
    if start < 0:
        return None
    values, _ = json.JSONDecoder().raw_decode(metadata[start:].decode("utf-8", "replace"))
    return str(values["crc32c"]) if "crc32c" in values else None
