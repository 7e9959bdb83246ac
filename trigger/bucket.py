"""The bucket as the function uses it: small objects are written by one lean call each.

Everything else (reads, listings, errors, retries, preconditions, the comparison of checksums) is
as in `contract.stores.gcs`.
"""

from __future__ import annotations

import json
import os
import uuid
from typing import Any, Self
from urllib.parse import quote

import google.auth
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from contract.stores import Store, open_store, split_uri
from contract.stores.gcs import RETRY, TIMEOUT, GCSStore, call_storage, crc32c_of
from trigger.lean import Poster

SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"


class LeanStore(GCSStore):
    """A bucket whose small objects are written by `poster`."""

    def __init__(self, bucket: Any, poster: Poster) -> None:
        super().__init__(bucket)
        self._poster = poster
        self._uploads = f"/upload/storage/v1/b/{quote(bucket.name, safe='')}/o"

    @classmethod
    def connect(cls, bucket: str) -> Self:
        """A store on the bucket, with the machine's own credentials."""
        credentials, project = call_storage(bucket, _credentials)
        project = os.environ.get("MMM_PROJECT") or project
        client = call_storage(
            bucket, lambda: storage.Client(project=project, credentials=credentials)
        )
        return cls(client.bucket(bucket), Poster(client.api_endpoint, credentials))

    def _insert(
        self, path: str, data: bytes, if_generation: int | None, content_type: str, tries: list[str]
    ) -> tuple[int, str]:
        """One multipart upload, its CRC32C told beforehand so that the server can refuse it.

        https://cloud.google.com/storage/docs/json_api/v1/objects/insert
        """
        about = json.dumps({"name": path, "crc32c": crc32c_of(data), "contentType": content_type})
        mark = uuid.uuid4().hex
        head = (
            f"--{mark}\r\nContent-Type: application/json\r\n\r\n{about}\r\n"
            f"--{mark}\r\nContent-Type: {content_type}\r\n\r\n"
        )
        body = head.encode() + data + f"\r\n--{mark}--\r\n".encode()
        url = f"{self._uploads}?uploadType=multipart&fields=generation,crc32c"
        if if_generation is not None:
            url += f"&ifGenerationMatch={if_generation}"

        def send() -> dict[str, Any]:
            tries.append(path)
            kind = f"multipart/related; boundary={mark}"
            return self._poster.post(url, body, content_type=kind, timeout=TIMEOUT)

        answer = call_storage(f"{self.url}/{path}", RETRY(send))
        return int(answer["generation"]), str(answer["crc32c"])


def open_bucket(url: str) -> Store:
    """The function's bucket, or a folder."""
    if not url.startswith("gs://") or split_uri(url)[1]:
        return open_store(url)
    return LeanStore.connect(split_uri(url)[0])


def _credentials() -> tuple[Any, str | None]:
    if os.environ.get("STORAGE_EMULATOR_HOST"):
        return AnonymousCredentials(), None  # type: ignore[no-untyped-call]
    return google.auth.default(scopes=[SCOPE])
