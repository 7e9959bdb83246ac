"""Request a run with a message: what `mmm publish` and the console send."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from contract.message import parse_message
from contract.topics import Publisher


def request_run(
    topic: Publisher,
    config: Mapping[str, Any] | str,
    *,
    overrides: Mapping[str, Any] | None = None,
    markets: Sequence[str] = (),
    key: str | None = None,
    force: bool = False,
) -> str:
    """Publish a request to train; return the message's id.

    Args:
        topic: The topic of requests.
        config: A whole config, or the address of one.
        overrides: Values that replace the config's.
        markets: The markets to train, one run each; the config's if empty.
        key: The idempotency key: one key, one run.
        force: Whether to train even if the config and data were trained before.

    Raises:
        ConfigError: the message is not valid.
        TransientError, ServiceError: the topic is unreachable or refuses.
    """
    message: dict[str, Any] = (
        {"config_uri": config}
        if isinstance(config, str)
        else {"config": json.loads(json.dumps(dict(config), default=str))}
    )
    given = {"overrides": dict(overrides or {}), "markets": list(markets), "force": force}
    message |= {name: value for name, value in given.items() if value}
    data = json.dumps(message).encode()
    parse_message(data)
    return topic.publish(data, {"idempotency_key": key} if key else {})
