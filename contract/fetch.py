"""Fetch a config from the address that a message or command gives."""

from __future__ import annotations

from pathlib import Path

from contract.documents import MAX_CONFIG_BYTES
from contract.exceptions import ConfigError, DeniedError, NotFoundError, ServiceError
from contract.stores import Store, open_store, split_uri


def fetch_config(uri: str, *, files: bool, store: Store | None = None) -> bytes:
    """Return the bytes of a config at `gs://bucket/path` or, if `files` is true, in a local file.

    If the config is in the bucket of `store`, `store` reads it.

    Raises:
        ConfigError: the config does not exist, cannot be read, or is too large.
        DeniedError: access is denied, perhaps not for long.
    """
    if not uri.startswith("gs://"):
        if not files:
            raise ConfigError(f"`config_uri` is `{uri}`; allowed: gs://BUCKET/PATH")
        return _checked(_file(Path(uri.removeprefix("file://")), uri), uri)
    bucket, path = split_uri(uri)
    if not path:
        raise ConfigError(f"`{uri}` names no object; allowed: gs://BUCKET/PATH")
    url = f"gs://{bucket}"
    try:
        source = store if store is not None and store.url == url else open_store(url)
        return _checked(source.read(path, limit=MAX_CONFIG_BYTES + 1).data, uri)
    except NotFoundError:
        raise ConfigError(f"the config `{uri}` does not exist") from None
    except DeniedError as error:
        raise DeniedError(f"the config `{uri}` cannot be read: {error.message}") from None
    except ServiceError as error:
        raise ConfigError(f"the config `{uri}` cannot be read: {error.message}") from None


def _file(path: Path, uri: str) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(MAX_CONFIG_BYTES + 1)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise ConfigError(f"the config `{uri}` does not exist") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"the config `{uri}` cannot be read: {error}") from None


def _checked(data: bytes, uri: str) -> bytes:
    if len(data) > MAX_CONFIG_BYTES:
        raise ConfigError(
            f"the config `{uri}` is too large; allowed: at most {MAX_CONFIG_BYTES} bytes"
        )
    return data
