"""What a person can do here. Each action checks the person's role itself, whatever a page shows."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from app import reads
from app.deployment import Deployment
from app.people import Person, Role
from contract.exceptions import ConfigError
from contract.loading import Resolved
from contract.pause import Pause
from contract.run import Status
from job.gate import Verdict
from job.outputs.ledger import Decision
from job.sources.local_files import check_source
from mmm import cancel as cancelling
from mmm import configs, decisions, drafts, pauses, uploads
from mmm.check import check_data
from mmm.configs import StoredConfig
from mmm.drafts import Draft
from mmm.plan import Plan, plan_of
from mmm.propose.browse import Listing
from mmm.propose.table import Table, parse_source
from mmm.publish import request_run


def save_config(at: Deployment, person: Person, name: str, text: str, *, seen: int) -> StoredConfig:
    """Save a new version of a config, unless somebody else has saved one meanwhile."""
    person.require(Role.EDITOR, "save a config")
    return configs.save(at.store, name, text, seen=seen, by=person.name)


def begin_draft(
    at: Deployment, person: Person, source: Mapping[str, Any], *, market: str, revision: str
) -> str:
    """Begin the config of a table; return the draft's id."""
    person.require(Role.EDITOR, "begin a market")
    draft_id, _ = drafts.begin(at.store, source, market=market, revision=revision, by=person.name)
    return draft_id


def change_draft(
    at: Deployment, person: Person, draft_id: str, old: Draft, generation: int, **fields: Any
) -> None:
    """Change fields of a draft, unless somebody else has changed it meanwhile."""
    person.require(Role.EDITOR, "change a draft")
    drafts.change(at.store, draft_id, old, generation, by=person.name, **fields)


def list_names(
    at: Deployment, person: Person, kind: str, place: Sequence[str], *, contains: str = ""
) -> Listing:
    """Return the names of what a warehouse, a database, a schema or a dataset has.

    Raises:
        ConfigError: the place is a DuckDB file, and the bucket is not a folder of this machine.
        ServiceError, TransientError: the warehouse refuses the request, or does not answer.
    """
    person.require(Role.EDITOR, "list tables")
    if kind == "duckdb" and not at.is_local:
        raise ConfigError("a DuckDB file can be read only where the bucket is a folder")
    return reads.names(kind, tuple(place), contains)


def read_table(
    at: Deployment, person: Person, source: Mapping[str, Any], sheet: str | None = None
) -> Table:
    """Return a sample of a table. Files of the console's own machine are refused in the cloud."""
    person.require(Role.EDITOR, "read a table")
    check_source(parse_source(dict(source)), local_files=at.is_local, data_folder=None)
    return reads.table(source, sheet)


def check_config(at: Deployment, person: Person, resolved: Resolved) -> tuple[Verdict, Plan]:
    """Return the gate's verdict on the data of a config, and the plan of its run."""
    person.require(Role.EDITOR, "check the data of a config")
    local = at.is_local
    return (
        check_data(resolved.config, local_files=local),
        plan_of(resolved, at.store, local_files=local, is_job_machine=local),
    )


def upload_table(at: Deployment, person: Person, name: str, data: bytes) -> str:
    """Put a table into the bucket; return its path for `source.path`."""
    person.require(Role.EDITOR, "upload a table")
    return uploads.upload(at.store, name, data)


def new_key() -> str:
    """Return the idempotency key of a new request: one key, one run, however often it is sent."""
    return f"console-{secrets.token_hex(8)}"


def start_run(at: Deployment, person: Person, name: str, *, key: str, force: bool = False) -> None:
    """Publish a request to train with a config of the bucket.

    Raises:
        ConfigError: there is no such config, or it is not valid.
    """
    person.require(Role.EDITOR, "start a run")
    stored = configs.read(at.store, name)
    if stored is None:
        raise ConfigError(f"there is no config `{name}` in {at.store.url}")
    if stored.problem:
        raise ConfigError(f"the config `{name}` is not valid: {stored.problem}")
    request_run(at.requests, configs.address(at.store, name), force=force, key=key)


def pause_market(at: Deployment, person: Person, market: str, *, reason: str) -> Pause:
    """Begin no more runs of a market."""
    person.require(Role.EDITOR, "pause a market")
    return pauses.pause(at.store, market, by=person.name, reason=_given(reason))


def resume_market(at: Deployment, person: Person, market: str) -> Pause | None:
    """End the pause of a market."""
    person.require(Role.EDITOR, "resume a market")
    return pauses.resume(at.store, market)


def cancel_run(at: Deployment, person: Person, run_id: str) -> Status:
    """Stop a run's execution and end the run."""
    person.require(Role.EDITOR, "cancel a run")
    return cancelling.cancel(run_id, at.store, at.events, at.launcher())


def promote_run(at: Deployment, person: Person, run_id: str, *, reason: str) -> Decision:
    """Make a run its market's current one."""
    person.require(Role.APPROVER, "promote a run")
    return decisions.promote(at.store, run_id, reason=_given(reason), by=person.name)


def hold_run(at: Deployment, person: Person, run_id: str, *, reason: str) -> Decision:
    """Keep a run from being its market's current one."""
    person.require(Role.APPROVER, "hold a run")
    return decisions.hold(at.store, run_id, reason=_given(reason), by=person.name)


def _given(reason: str) -> str:
    if not reason.strip():
        raise ConfigError("say why, for those who look at this later")
    return reason.strip()
