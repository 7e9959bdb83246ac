"""Examine an installation on Google Cloud; nothing is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from contract.exceptions import DeniedError, MMMError, NotFoundError
from contract.stores import Store
from mmm.cloud import access, parts, warehouse
from mmm.cloud.api import Api
from mmm.cloud.found import APPLY, fail, warn
from mmm.cloud.installation import Installation
from mmm.machine import Check, check_clock

Look = Callable[[], Iterator[Check]]


def examine_cloud(
    api: Api, installation: Installation, store: Store, env: Mapping[str, str]
) -> Iterator[Check]:
    """Yield one check after the other; one that cannot be made says why.

    `env` has the variables of Snowflake, if this machine may sign in. The clock is compared by
    writing the clock object of `reconcile`.
    """
    one = installation
    looks: dict[str, Look] = {
        "APIs": partial(parts.apis, api, one),
        "bucket": partial(parts.bucket, api, one),
        **{f"topic {key}": partial(parts.topic, api, one, key) for key in parts.TOPICS},
        "subscription requests": partial(parts.requests, api, one),
        "subscription requests-dead": partial(parts.dead_letters, api, one),
        "function trigger": partial(parts.function, api, one, "trigger"),
        "function reconcile": partial(parts.function, api, one, "reconcile"),
        "job": partial(parts.job, api, one),
        "image": partial(parts.image, api, one),
        "secrets": partial(parts.secrets, api, one),
        "reconcile": partial(parts.last_reconcile, api, one),
        "schedules": partial(parts.schedules, api, one),
        "bucket policy": partial(access.bucket_policy, api, one),
        "account trigger": partial(access.trigger, api, one),
        "account job": partial(access.job, api, one),
        "Snowflake": partial(warehouse.snowflake, api, one, env),
        "clock": lambda: iter([check_clock(store)]),
    }
    for name, look in looks.items():
        yield from _guarded(name, look)


def _guarded(name: str, look: Look) -> Iterator[Check]:
    try:
        yield from look()
    except NotFoundError as error:
        yield fail(name, error.message, APPLY)
    except DeniedError as error:
        yield warn(
            name,
            f"cannot be examined: {error.message}",
            "use an account with roles/viewer and roles/iam.securityReviewer on the project",
        )
    except MMMError as error:
        yield fail(name, error.message, "try again; if it stays, look at status.cloud.google.com")
