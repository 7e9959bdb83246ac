"""The limit of the stand-in itself: it must refuse what Cloud Storage refuses."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from google.api_core.exceptions import TooManyRequests
from google.cloud import storage

from tests.fakes.gcs import FakeGCS
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
