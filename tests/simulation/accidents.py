"""What happens to the deployment in a seed, besides faults of single calls."""

from __future__ import annotations

import re

from tests.simulation.world import World

# Objects whose damage blocks nothing (docs/bucket.md), as patterns.
DAMAGED = (
    r"markets/.*",
    r"robyn/.*/current\.json",
    r"robyn/.*/manifest\.json",
    r"robyn/.*/manifest\.json",  # twice, because every later run reads it
    r"robyn/.*/(metrics|data_quality)\.json",
    r"fingerprints/.*",
    r"reconcile/closed\.json",
    r"runs/.*/lease\.json",
)


class Accidents:
    """Draws accidents and lets them happen at drawn times."""

    def __init__(self, world: World) -> None:
        self.world, self.loop = world, world.loop

    def draw(self) -> None:
        """Draw the accidents of a seed."""
        random = self.loop.random
        for share, act in (
            (0.25, self._cancel), (0.2, self._outage), (0.2, self._denied), (0.15, self._stop),
            (0.3, self._damage), (0.2, self._out_of_memory),
        ):  # fmt: skip
            while random.random() < share:
                self.loop.at(random.uniform(0, 40) ** 2, act)

    def _count(self, kind: str) -> bool:
        if self.world.faults.on:
            self.world.faults.count(kind)
        return self.world.faults.on

    def _cancel(self) -> None:
        open_ = sorted(r for r, status in self.world.runs().items())
        if open_ and self._count("cancel"):
            self.world.cancel(self.loop.random.choice(open_))

    def _outage(self) -> None:
        """Let a service not answer for a while, or lose all its answers."""
        random, faults = self.loop.random, self.world.faults
        kind, service = random.choice(("down", "deaf")), random.choice(("storage", "pubsub", "run"))
        if self._count(kind):
            until = {"down": faults.down, "deaf": faults.deaf}[kind]
            until[service] = self.loop.now + random.uniform(1, 25) ** 2

    def _denied(self) -> None:
        """Let a service deny access for less than the 15 minutes after which it is permanent."""
        random = self.loop.random
        if self._count("denied"):
            service = random.choice(("storage", "pubsub", "run"))
            self.world.faults.denied[service] = self.loop.now + random.uniform(1, 600)

    def _stop(self) -> None:
        """Stop a process of the job for a while, as SIGSTOP or a frozen machine does."""
        random = self.loop.random
        living = [
            task.process
            for execution in self.world.run.alive
            for task in execution.tasks
            if task.process is not None and not task.process.dead
        ]
        if living and self._count("stop"):
            process = random.choice(living)
            process.was_stopped = True
            process.stopped_until = self.loop.now + random.uniform(2, 30) ** 2

    def _out_of_memory(self) -> None:
        """Let the kernel kill each attempt at a task, always after the same time."""
        alive, random = self.world.run.alive, self.loop.random
        if alive and self._count("out of memory"):
            execution = random.choice(alive)
            execution.too_large = random.choice(execution.tasks).index
            execution.too_large_after = random.uniform(1, 30)

    def _damage(self) -> None:
        """Replace an object by torn, older, newer, foreign or no bytes."""
        random, server = self.loop.random, self.world.server
        pattern = re.compile(random.choice(DAMAGED))
        paths = [path for path in sorted(server.objects) if pattern.fullmatch(path)]
        paths = [path for path in paths if self._may_be_damaged(path)]
        if not paths or not self._count("damage"):
            return
        path = random.choice(paths)
        data = server.objects[path].data
        new = random.choice((b"", data[: len(data) // 2], b"[]", b'{"version":9}', b"\xff\xfe\x00"))
        server.replace(path, new)
        self.world.damaged.add(path)
        self.loop.note("DAMAGE", path)

    def _may_be_damaged(self, path: str) -> bool:
        """Return whether nothing but advice is lost: the artifacts of an open run are its own."""
        parts = path.split("/")
        if parts[0] != "robyn" or len(parts) == 4:
            return True
        return parts[3] in self.world.watch.ended
