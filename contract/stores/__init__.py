"""Buckets: Google Cloud Storage (`gs://bucket`) or a folder, with the same preconditions."""

from __future__ import annotations

from pathlib import Path

from contract.exceptions import ConfigError
from contract.stores.base import Blob, ObjectInfo, Store

__all__ = ["Blob", "ObjectInfo", "Store", "open_store", "split_uri"]


def open_store(url: str, *, denied_seconds: float = 0.0) -> Store:
    """Return a store for `gs://bucket`, `file:///folder` or a folder's path.

    A call to Cloud Storage that is denied (403) is repeated for `denied_seconds`.
    """
    if url.startswith("gs://"):
        from contract.stores.gcs import GCSStore  # slow to import, and folders do not need it

        bucket, prefix = split_uri(url)
        if prefix:
            raise ConfigError(f"the bucket is `{url}`; allowed: gs://BUCKET without a folder")
        return GCSStore.connect(bucket, denied_seconds=denied_seconds)
    from contract.stores.folder import FolderStore

    folder = Path(url.removeprefix("file://"))
    if "://" in url.removeprefix("file://"):
        raise ConfigError(f"the bucket is `{url}`; allowed: gs://BUCKET or a folder")
    if folder.is_file():
        raise ConfigError(f"the bucket `{url}` is a file; allowed: gs://BUCKET or a folder")
    return FolderStore(folder)


def split_uri(uri: str) -> tuple[str, str]:
    """Split `gs://bucket/a/b` into (`bucket`, `a/b`)."""
    bucket, _, path = uri.removeprefix("gs://").partition("/")
    if not bucket:
        raise ConfigError(f"`{uri}` names no bucket; allowed: gs://BUCKET/PATH")
    return bucket, path
