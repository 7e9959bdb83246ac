"""The configs of a bucket: list them, and save a new version without losing another.

A config is `configs/<name>.yaml`, which people may also edit by other means. A version is the
object's generation. `save` replaces only the version that its author has seen, and keeps that one
in `config-versions/`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from contract import layout
from contract.config import Config
from contract.exceptions import ConfigError, NotFoundError, PreconditionError
from contract.loading import load_config
from contract.printable import one_line, short
from contract.run import now
from contract.stores import Store
from contract.stores.atomic import create

YAML = "application/yaml"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_SAVED = "# Saved by "
_AT_ONCE = 16  # reads of a bucket


@dataclass(frozen=True, kw_only=True)
class StoredConfig:
    """A config of the bucket.

    Attributes:
        name: as in `configs/<name>.yaml`.
        generation: the version; 0 for a config that is not stored.
        text: the YAML.
        config: the config; None if it is not valid.
        problem: why it is not valid.
    """

    name: str
    generation: int
    text: str
    config: Config | None
    problem: str | None

    @property
    def body(self) -> str:
        """The text without the line that says who saved it."""
        return _unsigned(self.text)

    @property
    def saved(self) -> str | None:
        """Who saved this version and when, if `save` wrote it."""
        first = self.text.partition("\n")[0]
        return first.removeprefix("# ").rstrip(".") if first.startswith(_SAVED) else None


def stored_configs(store: Store, known: Sequence[StoredConfig] = ()) -> list[StoredConfig]:
    """Return the configs of a bucket, by name; a version that is known is not read again."""
    seen = {(one.name, one.generation): one for one in known}
    found = [
        (name, info.generation)
        for info in store.list(layout.CONFIGS)
        if info.path.endswith(".yaml")
        and _NAME.fullmatch(name := info.path.removeprefix(layout.CONFIGS).removesuffix(".yaml"))
    ]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        read_now = pool.map(lambda one: seen.get(one) or read(store, one[0]), found)
        return [one for one in read_now if one is not None]


def read(store: Store, name: str) -> StoredConfig | None:
    """Return a config, None if there is none."""
    try:
        blob = store.read(layout.config(_checked(name)))
    except NotFoundError:
        return None
    return _parsed(name, blob.data.decode(errors="replace"), blob.generation)


def save(store: Store, name: str, text: str, *, seen: int, by: str) -> StoredConfig:
    """Save a new version of a config.

    Args:
        store: The bucket.
        name: The config's name.
        text: The YAML.
        seen: The version that the new one replaces; 0 for a new config.
        by: Who saves it.

    Raises:
        ConfigError: the text is not a valid config, or another version has been saved meanwhile.
    """
    load_config(text, origin=f"`{layout.config(_checked(name))}`")
    path = layout.config(name)
    signed = f"{_SAVED}{one_line(by)} at {now():%Y-%m-%d %H:%M} UTC.\n{_unsigned(text)}"
    if seen:
        before = read(store, name)
        if before is None or before.generation != seen:
            raise _changed(path, before)
        kept = layout.config_version(name, seen)
        create(store, kept, before.text.encode(), content_type=YAML)
    try:
        generation = store.write(path, signed.encode(), if_generation=seen, content_type=YAML)
    except PreconditionError:
        raise _changed(path, read(store, name)) from None
    return _parsed(name, signed, generation)


def address(store: Store, name: str) -> str:
    """Return the address of a config, as a message names it."""
    return f"{store.url}/{layout.config(_checked(name))}"


def suggest_name(market: str, taken: Iterable[str]) -> str:
    """Return a free name for a market's config: `de`, or `de-2` if that is taken."""
    known, base = set(taken), market.lower()
    numbers = (f"{base}-{number}" for number in range(2, len(known) + 3))
    return next(name for name in (base, *numbers) if name not in known)


def _unsigned(text: str) -> str:
    return text.partition("\n")[2] if text.startswith(_SAVED) else text


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"the config's name is `{short(name)}`; allowed: letters, digits, `_` and `-`, a "
            "letter or digit first, at most 63 characters"
        )
    return name


def _parsed(name: str, text: str, generation: int) -> StoredConfig:
    try:
        config, problem = load_config(text, origin=layout.config(name)).config, None
    except ConfigError as error:
        config, problem = None, error.message
    return StoredConfig(name=name, generation=generation, text=text, config=config, problem=problem)


def _changed(path: str, now_stored: StoredConfig | None) -> ConfigError:
    if now_stored is None:
        return ConfigError(f"`{path}` was removed after you opened it; save it under a new name")
    who = now_stored.saved or "It was saved by other means"
    return ConfigError(
        f"`{path}` has a newer version, and nothing was overwritten. {who}. Open that version and "
        "change it, or save yours under another name"
    )
