"""What must hold: at each write, and at the end of a seed."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from contract.base import sha256_hex
from contract.run import State
from tests.simulation.job import is_bad
from tests.simulation.loop import Loop, Process

if TYPE_CHECKING:
    from tests.simulation.bucket import Stored
    from tests.simulation.world import World

TRAINED = ("SUCCEEDED", "HELD")
ENDS = {state.value for state in State if state.is_terminal}


class Watch:
    """Sees every write at the moment when it takes effect."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.cancelled: set[str] = set()
        self.ended: dict[str, str] = {}
        self.working: dict[str, dict[str, set[Process]]] = defaultdict(lambda: defaultdict(set))

    def written(
        self, path: str, old: Stored | None, new: Stored | None, objects: Mapping[str, Stored]
    ) -> None:
        """Check one change of an object."""
        parts = path.split("/")
        if parts[0] == "runs" and parts[2:] == ["status.json"] and new is not None:
            state = json.loads(new.data)["state"]
            before = self.ended.get(parts[1])
            if before is not None and state != before:
                self.broken(f"run {parts[1]} was {before} and becomes {state}")
            if state in ENDS:
                self.ended[parts[1]] = state
        elif (
            parts[0] == "runs"
            and parts[1] in self.ended
            and parts[2] in ("work", "data_quality.json")
        ):
            self.broken(f"{path} is written, but its run is {self.ended[parts[1]]}")
        elif parts[0] == "robyn" and len(parts) > 4 and parts[3] in self.ended:
            self.broken(f"{path} is written, but its run is {self.ended[parts[3]]}")

    @contextmanager
    def at_work(self, market: str, run_id: str, process: Process) -> Iterator[None]:
        """Record that R works on a market; one run at a time may."""
        runs = self.working[market]
        runs[run_id].add(process)
        others = [
            other
            for other, processes in runs.items()
            if other != run_id and any(not one.dead and not one.was_stopped for one in processes)
        ]
        if others and not process.was_stopped:
            self.broken(f"{others} and {run_id} work on market {market} at once")
        try:
            yield
        finally:
            runs[run_id].discard(process)

    def broken(self, what: str) -> None:
        """Record a broken invariant."""
        self.loop.note("BROKEN", what)
        self.loop.problems.append(what)


def at_end(world: World, *, final: bool) -> list[str]:
    """Return what does not hold once every run has ended.

    A damaged pointer is made again by the next run, so it is only checked at the `final` look.
    """
    problems: list[str] = []
    states: dict[str, str] = {}
    reported: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for event in world.events:
        reported[event["subject"]].add((event["id"], event["data"]["state"]))
    for run_id, status in world.runs().items():
        if status is None or status["state"] not in ENDS:
            problems.append(f"{run_id} is still {status and status['state']}")
            continue
        states[run_id] = state = status["state"]
        if {s for _, s in reported[run_id]} != {state} or len(reported[run_id]) != 1:
            problems.append(f"{run_id} is {state}, but its events are {reported[run_id]}")
        message = (status.get("error") or {}).get("message", "")
        if message.startswith("unexpected") or "damaged" in message:
            problems.append(f"{run_id}: {message}")
        if state == "CANCELLED" and run_id not in world.watch.cancelled:
            problems.append(f"{run_id} is CANCELLED, although no one cancelled it: {message}")
        problems += _artifacts(world, run_id, status) + _decisions(world, run_id, state)
    problems += (
        _currents(world, states, final=final) + _fingerprints(world, states) + _messages(world)
    )
    return problems


def _artifacts(world: World, run_id: str, status: dict[str, Any]) -> list[str]:
    folder = f"robyn/{status['revision']}/{status['market']}/{run_id}/"
    stored = world.server.objects.get(f"{folder}manifest.json")
    if any(path.startswith(folder) for path in world.damaged):
        return []
    if stored is None:
        return [f"{run_id} ended without a manifest"] if status["state"] in TRAINED else []
    problems = []
    manifest = json.loads(stored.data)
    for artifact in manifest["artifacts"]:
        found = world.server.objects.get(f"{folder}{artifact['path']}")
        if found is None or sha256_hex(found.data) != artifact["sha256"]:
            problems.append(f"{folder}{artifact['path']} does not match its manifest")
    metrics = json.loads(world.server.objects[f"{folder}metrics.json"].data)
    wanted = sorted(f"trial_{k}.rds" for k in range(1, manifest["trials"] + 1))
    if metrics["trials"] != wanted:
        problems.append(f"{run_id} counts the trials {metrics['trials']}")
    if status["state"] in TRAINED:
        for event in world.events:
            if event["subject"] == run_id and event["data"]["manifest_sha256"] != sha256_hex(
                stored.data
            ):
                problems.append(f"the event of {run_id} names another manifest")
    return problems


def _decisions(world: World, run_id: str, state: str) -> list[str]:
    """Check that the verdict decides, and that the ledger has what the job decided."""
    if state not in TRAINED:
        return []
    problems = []
    if (state == "HELD") is not is_bad(run_id):
        problems.append(f"{run_id} is {state}, but its model is {'bad' * is_bad(run_id) or 'good'}")
    names = [path.rpartition("/")[2] for path in world.server.below("decisions/") if run_id in path]
    allowed: tuple[list[str], ...] = ([], ["job-promote.json"])  # its last attempt may have died
    if names not in ([["job-hold.json"]] if state == "HELD" else allowed):
        problems.append(f"{run_id} is {state}, but the ledger has {names}")
    return problems


def _currents(world: World, states: dict[str, str], *, final: bool) -> list[str]:
    newest: dict[str, tuple[Any, str]] = {}
    statuses = world.runs()
    for run_id, state in states.items():
        status = statuses[run_id]
        assert status is not None
        market = status["market"]
        if state == "SUCCEEDED":
            accepted = world.server.objects[f"runs/{run_id}/request.json"].updated
            newest[market] = max(newest.get(market, (accepted, run_id)), (accepted, run_id))
    problems = []
    for market in world.data:
        path = f"robyn/r1/{market}/current.json"
        if path in world.damaged and not final:
            continue
        stored = world.server.objects.get(path)
        current = json.loads(stored.data)["run_id"] if stored else None
        wanted = newest[market][1] if market in newest else None
        if current != wanted:
            problems.append(f"current of {market} is {current}, the newest success is {wanted}")
    return problems


def _fingerprints(world: World, states: dict[str, str]) -> list[str]:
    problems = []
    for path in world.server.below("fingerprints/"):
        if path in world.damaged:
            continue
        run_id = json.loads(world.server.objects[path].data)["run_id"]
        if states.get(run_id) != "SUCCEEDED" and _was_overtaken(world, run_id):
            continue  # its last attempt died after the promotion; no run is its duplicate
        if states.get(run_id) != "SUCCEEDED":
            problems.append(f"{path} names {run_id}, which is {states.get(run_id)}")
    for run_id, status in world.runs().items():
        if status and status["state"] == "DUPLICATE":
            other = status["outcome"]["duplicate_of"]
            if states.get(other) != "SUCCEEDED":
                problems.append(f"{run_id} is a duplicate of {other}, which is {states.get(other)}")
    return problems


def _was_overtaken(world: World, run_id: str) -> bool:
    """Return whether the pointer of a run's market names a later run, or is damaged."""
    objects = world.server.objects
    request = json.loads(objects[f"runs/{run_id}/request.json"].data)
    path = f"robyn/r1/{request['market']}/current.json"
    if path in world.damaged or path not in objects:
        return path in world.damaged
    other = json.loads(objects[path].data)["run_id"]
    accepted = [objects[f"runs/{one}/request.json"].updated for one in (other, run_id)]
    return accepted[0] > accepted[1]


def _messages(world: World) -> list[str]:
    """Check that each message has the run of its own config for each of its markets."""
    problems = []
    variants: dict[str, set[int]] = defaultdict(set)
    for message in world.messages:
        variants[message.delivery.attributes.get("idempotency_key", message.delivery.key)].add(
            message.variant
        )
    for message in world.messages:
        what = f"message {message.delivery.message_id} for {message.markets}"
        if not message.acknowledged:
            problems.append(f"{what} is not acknowledged")
            continue
        if any(result.state is State.REJECTED for result in message.results):
            continue
        found = sorted(str(result.market) for result in message.results)
        if found != sorted(message.markets):
            problems.append(f"{what} has runs of {found}")
        key = message.delivery.attributes.get("idempotency_key", message.delivery.key)
        for result in message.results:
            stored = world.server.objects.get(f"runs/{result.run_id}/request.json")
            seed = json.loads(stored.data)["config"]["training"]["seed"] if stored else None
            if seed not in {100 + variant for variant in variants[key]}:
                problems.append(f"{what} has the run {result.run_id} of another message")
    return problems
