"""Sign in to Snowflake and ask for one row, as the job does."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from contract.exceptions import MMMError
from contract.source import SnowflakeSource
from job.sources import snowflake as connector
from mmm.cloud.api import Api
from mmm.cloud.found import fail, ok, warn
from mmm.cloud.installation import Installation
from mmm.cloud.parts import template
from mmm.machine import Check

NAME = "Snowflake"
PROBE = "select 1 as ok"


def snowflake(api: Api, one: Installation, env: Mapping[str, str]) -> Iterator[Check]:
    """Check the sign-in, if the job uses Snowflake and this machine has its variables."""
    entries = template(api, one)[1]["containers"][0].get("env", [])
    account = {e["name"]: e.get("value") for e in entries}.get("SNOWFLAKE_ACCOUNT")
    if not account:
        yield ok(NAME, "the job does not use it")
        return
    if not env.get("SNOWFLAKE_ACCOUNT"):
        yield warn(
            NAME,
            f"not tried: the variables of the sign-in to {account} are not set here",
            "set SNOWFLAKE_ACCOUNT and the others of docs/data.md here, or start this command as "
            "an execution of the job's image",
        )
        return
    began = time.monotonic()
    try:
        source = SnowflakeSource(type="snowflake", query=PROBE)
        opened = connector.connect(source, run_id="mmm-doctor", env=env)
        try:
            rows = sum(batch.num_rows for batch in opened.stream(PROBE))
        finally:
            opened.close()
    except MMMError as error:
        remedy = 'docs/deploy.md, "Snowflake", has the statements for user, role and network policy'
        yield fail(NAME, error.message, remedy)
        return
    seconds = time.monotonic() - began
    yield ok(NAME, f"{env['SNOWFLAKE_ACCOUNT']} answered with {rows} row in {seconds:.1f} s")
