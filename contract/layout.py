"""The paths of all objects in the bucket."""

from __future__ import annotations

from contract.base import sha256_hex


def request(run_id: str) -> str:
    """Return the path of the run's request: the resolved config and its origin, written once."""
    return f"runs/{run_id}/request.json"


def status(run_id: str) -> str:
    """Return the path of the run's status: state, step, progress, heartbeat, error."""
    return f"runs/{run_id}/status.json"


def task(run_id: str, number: int) -> str:
    """Return the path of the status of a task that does not own the run: step, progress, error."""
    return f"runs/{run_id}/tasks/{number}.json"


def log(run_id: str, name: str = "") -> str:
    """Return the path of the log of an attempt, or the prefix of those of all attempts."""
    return f"runs/{run_id}/log/{name}"


def lease(run_id: str, task: int = 0) -> str:
    """Return the path of the run's lease; tasks that share the trials have one each."""
    return f"runs/{run_id}/lease.json" if task == 0 else f"runs/{run_id}/lease-{task}.json"


def leases(run_id: str) -> str:
    """Return the prefix of the run's leases."""
    return f"runs/{run_id}/lease"


def clock(run_id: str, use: str = "") -> str:
    """Return the path of the object that is written to read the bucket's time, for a `use`."""
    return f"runs/{run_id}/clock{f'-{use}' if use else ''}.json"


def event(run_id: str, event_id: str) -> str:
    """Return the path of one event in the run's outbox."""
    return f"runs/{run_id}/events/{event_id}.json"


def events(run_id: str) -> str:
    """Return the prefix of the run's outbox."""
    return f"runs/{run_id}/events/"


def published(run_id: str, event_id: str) -> str:
    """Return the path of the mark that an event was published, written once."""
    return f"runs/{run_id}/published/{event_id}.json"


CONFIGS = "configs/"
DRAFTS = "drafts/"
RUNS = "runs/"
ARTIFACTS = "robyn/"
REJECTED = "rejected/"
KEYS = "keys/"
FINGERPRINTS = "fingerprints/"
MARKETS = "markets/"
LIMITS = "limits/"
RECONCILE = "reconcile/"
DAMAGED = "damaged/"
DECISIONS = "decisions/"
PAUSED = "paused/"
TRIALS = "trials/"  # below a run's work folder


def config(name: str) -> str:
    """Return the path of a config that people edit and messages name."""
    return f"{CONFIGS}{name}.yaml"


def config_version(name: str, generation: int) -> str:
    """Return where the version of a config is kept that a later one replaced; written once."""
    return f"config-versions/{name}/{generation}.yaml"


def upload(digest: str, name: str) -> str:
    """Return the path of a table that a person has uploaded; equal content has one path."""
    return f"uploads/{digest[:16]}/{name}"


def draft(draft_id: str) -> str:
    """Return the path of a config that a person has begun in the console."""
    return f"{DRAFTS}{draft_id}.json"


def closed_runs() -> str:
    """Return the path of the list of runs that have ended, which saves time; it may be deleted."""
    return f"{RECONCILE}closed.json"


def reconcile_clock() -> str:
    """Return the path of the clock object of `reconcile`."""
    return f"{RECONCILE}clock.json"


def work(run_id: str, name: str = "") -> str:
    """Return the path of a snapshot or checkpoint; a lifecycle rule removes it."""
    return f"runs/{run_id}/work/{name}"


def trials(run_id: str, name: str = "") -> str:
    """Return the path of a finished trial, or the prefix of all of them."""
    return work(run_id, f"{TRIALS}{name}")


def quality(run_id: str) -> str:
    """Return the path of the gate's verdict; a run that it blocked has no artifacts."""
    return f"runs/{run_id}/data_quality.json"


def artifacts(revision: str, market: str, run_id: str, name: str = "") -> str:
    """Return the path of an artifact of a finished run."""
    return f"{ARTIFACTS}{revision}/{market}/{run_id}/{name}"


def manifest(revision: str, market: str, run_id: str) -> str:
    """Return the path of the manifest; if it exists, the run's artifacts are complete."""
    return artifacts(revision, market, run_id, "manifest.json")


def current(revision: str, market: str) -> str:
    """Return the path of the pointer to the last accepted run of a market."""
    return f"robyn/{revision}/{market}/current.json"


def index() -> str:
    """Return the path of the page about all markets; it is made from statuses, and may be lost."""
    return f"{ARTIFACTS}index.html"


def decision(revision: str, market: str, run_id: str, name: str = "") -> str:
    """Return the path of a decision about a run, or the prefix of all of them; written once."""
    return f"{DECISIONS}{revision}/{market}/{run_id}/{name}"


def fingerprint(digest: str) -> str:
    """Return the path of the object that names the finished run with a fingerprint."""
    return f"{FINGERPRINTS}{digest}.json"


def market(name: str) -> str:
    """Return the path of a market's holder, queue and runs of the day."""
    return f"{MARKETS}{name}.json"


def paused(name: str) -> str:
    """Return the path of a market's pause; a person writes and removes it."""
    return f"{PAUSED}{name}.json"


def today() -> str:
    """Return the path of the runs of all markets that began today, used if there is a cap."""
    return f"{LIMITS}today.json"


def key(idempotency_key: str) -> str:
    """Return the path of a key's run id or, for a message, its request; written once."""
    return f"{KEYS}{sha256_hex(idempotency_key.encode())}.json"


def keys(run_id: str) -> str:
    """Return the prefix of a run's key: a run id ends with the first 8 digits of its key's hash."""
    return f"{KEYS}{run_id.rpartition('-')[2]}"


def rejected(message_hash: str) -> str:
    """Return the path of a rejected message, stored for people to read."""
    return f"{REJECTED}{message_hash}.json"


def damaged(path: str, generation: int) -> str:
    """Return where `mmm doctor --repair` keeps a damaged object; several may have had its path."""
    return f"{DAMAGED}{path}/{generation}"
