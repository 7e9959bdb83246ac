"""Where everything lies in the bucket."""

from __future__ import annotations

from contract.base import sha256_hex


def request(run_id: str) -> str:
    """Write-once: the resolved request and where it came from."""
    return f"runs/{run_id}/request.json"


def status(run_id: str) -> str:
    """State, step, progress, heartbeat, error."""
    return f"runs/{run_id}/status.json"


def lease(run_id: str, task: int = 0) -> str:
    """Who works on the run, until when; tasks that share its trials have one each."""
    return f"runs/{run_id}/lease.json" if task == 0 else f"runs/{run_id}/lease-{task}.json"


def leases(run_id: str) -> str:
    """Prefix of the run's leases."""
    return f"runs/{run_id}/lease"


def clock(run_id: str) -> str:
    """Written to learn the bucket's time; its content means nothing."""
    return f"runs/{run_id}/clock.json"


def event(run_id: str, event_id: str) -> str:
    """One event of the run's outbox."""
    return f"runs/{run_id}/events/{event_id}.json"


def events(run_id: str) -> str:
    """Prefix of the run's outbox."""
    return f"runs/{run_id}/events/"


RUNS = "runs/"


def closed_runs() -> str:
    """Runs that `reconcile` need not look at again; only saves time, may be deleted."""
    return "reconcile/closed.json"


def reconcile_clock() -> str:
    """The same as `clock`, of `reconcile`."""
    return "reconcile/clock.json"


def work(run_id: str, name: str = "") -> str:
    """Extract snapshot and trial checkpoints; removed by a lifecycle rule."""
    return f"runs/{run_id}/work/{name}"


def quality(run_id: str) -> str:
    """What the gate said; a run that it stopped has no artifacts to hold it."""
    return f"runs/{run_id}/data_quality.json"


def artifacts(revision: str, market: str, run_id: str, name: str = "") -> str:
    """A file of the finished run."""
    return f"robyn/{revision}/{market}/{run_id}/{name}"


def manifest(revision: str, market: str, run_id: str) -> str:
    """The last object written: its presence means that the run's artifacts are complete."""
    return artifacts(revision, market, run_id, "manifest.json")


def current(revision: str, market: str) -> str:
    """Pointer to the last accepted run of a market."""
    return f"robyn/{revision}/{market}/current.json"


def fingerprint(digest: str) -> str:
    """The finished run of one config on one set of data."""
    return f"fingerprints/{digest}.json"


def market(name: str) -> str:
    """Who works on a market, who waits for it, which runs began today; moved by generation."""
    return f"markets/{name}.json"


def today() -> str:
    """The runs of all markets that began today, where the deployment has a cap."""
    return "limits/today.json"


def key(idempotency_key: str) -> str:
    """Write-once: the run that an idempotency key stands for, its request if a message's."""
    return f"keys/{sha256_hex(idempotency_key.encode())}.json"


def keys(run_id: str) -> str:
    """Prefix of the keys that a run id may stand for: it ends with the first 8 digits."""
    return f"keys/{run_id.rpartition('-')[2]}"


def rejected(message_hash: str) -> str:
    """Body of a message that can never run, kept for people."""
    return f"rejected/{message_hash}.json"
