"""The stand-in itself: it must refuse what Cloud Storage refuses."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import BadRequest, TooManyRequests
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from tests.fakes.gcs import FakeGCS
from tests.fakes.proxy import Fault, Kind, Proxy
from tests.fakes.write_limit import SECONDS


def test_one_write_a_second_of_each_name(gcs_server: FakeGCS, bucket: str, tmp_path: Path) -> None:
    files = storage.Client(project="p").bucket(bucket.removeprefix("gs://"))
    files.blob("a b/ü.json").upload_from_string(b"1", retry=None)
    files.blob("other").upload_from_string(b"1", retry=None)
    began = time.monotonic()
    refused = dict(gcs_server.limit.refused)
    with pytest.raises(TooManyRequests, match="rate limit for object mutation"):
        files.blob("a b/ü.json").upload_from_string(b"2", retry=None)
    with pytest.raises(TooManyRequests):
        files.blob("a b/ü.json").delete(retry=None)
    blob = files.blob("a b/ü.json", chunk_size=256 * 1024)  # a resumable upload
    with pytest.raises(TooManyRequests):
        blob.upload_from_string(b"2" * 300_000, retry=None)
    assert time.monotonic() - began < SECONDS
    name = f"{files.name}/a b/ü.json"
    assert gcs_server.limit.refused[name] - refused.get(name, 0) == 3
    assert files.blob("a b/ü.json").download_as_bytes() == b"1"
    time.sleep(SECONDS)
    files.blob("a b/ü.json").upload_from_string(b"2", retry=None)


@pytest.mark.parametrize("size", [10, 300_000])  # one-shot and resumable uploads
def test_content_that_does_not_match_its_checksum_is_refused(
    gcs_server: FakeGCS, bucket: str, size: int
) -> None:
    changing = Proxy(gcs_server.url, lambda call: _changed(call.path, call.body))
    with changing.running() as proxy:
        options = ClientOptions(api_endpoint=proxy.url)
        client = storage.Client(
            project="p", credentials=AnonymousCredentials(), client_options=options
        )
        blob = client.bucket(bucket.removeprefix("gs://")).blob(f"changed-{size}")
        blob.chunk_size = 512 * 1024 if size > 10 else None
        with pytest.raises(BadRequest, match=r"Provided CRC32C .* doesn't match calculated"):
            blob.upload_from_string(b"1" * size, retry=None, checksum="crc32c")
    assert not storage.Client(project="p").bucket(blob.bucket.name).blob(blob.name).exists()


def _changed(path: str, body: bytes) -> Fault | None:
    return Fault(kind=Kind.CORRUPT) if b"1111" in body and "/upload/" in path else None
