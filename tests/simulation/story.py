"""What people and programs do in a seed, and what happens to them, until all must be well again."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from contract import layout
from mmm.decisions import promote, rollback
from tests.simulation.accidents import Accidents
from tests.simulation.invariants import TRAINED, at_end
from tests.simulation.job import is_bad
from tests.simulation.world import Message, World, config_of, put_config

TROUBLE_SECONDS = 1800.0
MOST_SECONDS = 12 * 3600.0
LOOK_SECONDS = 60.0
GENTLE = 0.2  # share of the seeds in which each run must succeed at its first attempt


class Story:
    """The requests of a seed, in trouble; then further ones, in peace."""

    def __init__(self, world: World) -> None:
        self.world, self.loop, self.over = world, world.loop, False
        self.accidents = Accidents(world)

    def tell(self) -> None:
        """Tell the story; an error in it is a problem, and ends it."""
        try:
            self._tell()
        except Exception as error:
            self.loop.problems.append(f"the story ended: {error!r}")
        self.over = True

    def _tell(self) -> None:
        """Ask for runs in trouble; then check that all end well, and that nothing is blocked."""
        world, random = self.world, self.loop.random
        gentle = random.random() < GENTLE
        world.faults.draw_rates(gentle=gentle)
        markets = random.sample(["DE", "FR", "IT"], random.choice((1, 1, 2, 3)))
        world.data = dict.fromkeys(markets, 0)
        world.schedule()
        if gentle:
            self._gentle(markets[0])
        else:
            self._rough(markets)
        world.faults.on = False
        self.loop.note("CALM")
        self._settle()
        self.loop.problems += at_end(world, final=False)
        if gentle:
            self._check_gentle()
        if not self.loop.problems:
            self._further(markets)

    def _gentle(self, market: str) -> None:
        random = self.loop.random
        self.world.outage = random.choice((None, "down", "deaf"))
        self._ask(market, tasks=1)
        self.loop.pause(random.uniform(300, 900))

    def _check_gentle(self) -> None:
        """Check that retries of calls were enough: no attempt was lost."""
        for run_id, status in self.world.runs().items():
            if status and (status["state"] not in TRAINED or status["attempt"] > 0):
                self.loop.problems.append(
                    f"{run_id} lost an attempt to errors that pass: {status['state']} at attempt "
                    f"{status['attempt']}, {status['error']}"
                )

    def _rough(self, markets: list[str]) -> None:
        random = self.loop.random
        self.accidents.draw()
        asks = (self._ask, self._ask, self._ask, self._by_uri, self._for_many, self._with_keys)
        asks = (*asks, self._with_run_id, self._by_execution)
        for _ in range(random.randint(1, 5)):
            random.choice(asks)(random.choice(markets))
            self.loop.pause(random.uniform(0, 12) ** 2)
        self.loop.pause(random.uniform(60, TROUBLE_SECONDS))

    # requests

    def _config(self, market: str, tasks: int | None = None) -> tuple[int, dict[str, Any]]:
        random = self.loop.random
        variant = random.randint(0, 1)
        tasks = tasks or random.choice((1, 1, 2))
        return variant, config_of(market, variant, trials=random.choice((1, 2, 3)), tasks=tasks)

    def _publish(
        self, content: dict[str, Any], variant: int, markets: list[str], key: str | None = None
    ) -> Message:
        times = self.loop.random.choice((1, 1, 2, 3))
        return self.world.publish(content, variant, markets, key=key, deliveries=times)

    def _ask(self, market: str, tasks: int | None = None) -> None:
        variant, config = self._config(market, tasks)
        self._publish({"config": config}, variant, [market])

    def _by_uri(self, market: str) -> None:
        """Name a config of the bucket; it may appear only after the first delivery."""
        variant, config = self._config(market)
        name = f"{len(self.world.messages)}.yaml"
        late = self.loop.random.choice((0.0, 0.0, 5.0, 60.0))
        self.loop.at(late, lambda: put_config(self.world, name, config))
        self._publish({"config_uri": f"gs://sim/configs/{name}"}, variant, [market])

    def _for_many(self, market: str) -> None:
        variant, config = self._config(market)
        markets = list(self.world.data)
        self._publish({"config": config, "markets": markets}, variant, markets)

    def _with_keys(self, market: str) -> None:
        """Send two messages whose keys are equal, or could be taken for each other."""
        number = len(self.world.messages)
        first, one = self._config(market)
        second, two = self._config(market)
        self._publish({"config": one, "markets": [market]}, first, [market], f"k{number}")
        same = self.loop.random.random() < 0.5
        if same:
            self._publish({"config": two, "markets": [market]}, second, [market], f"k{number}")
        else:
            self._publish({"config": two}, second, [market], f"k{number}|{market}")

    def _with_run_id(self, market: str) -> None:
        """Choose the run's id: its time may be hours from now."""
        random = self.loop.random
        at = self.loop.time() + timedelta(hours=random.choice((-30, 0, 20)))
        run_id = f"{at:%Y%m%dT%H%M%SZ}-{random.getrandbits(32):08x}"
        variant, config = self._config(market)
        self._publish({"config": config, "run_id": run_id}, variant, [market])

    def _by_execution(self, market: str) -> None:
        """Start an execution by hand: with a config, or for a run that exists."""
        random, run = self.loop.random, self.world.run
        runs = sorted(self.world.runs())
        if runs and random.random() < 0.5:
            run.run({"MMM_RUN_ID": random.choice(runs)}, 1, 3600.0)
            return
        _, config = self._config(market, tasks=1)
        name = f"x{len(run.executions)}.yaml"
        late = random.choice((0.0, 0.0, 2.0, 10.0))
        self.loop.at(late, lambda: put_config(self.world, name, config))
        run.run({"MMM_CONFIG_URI": f"gs://sim/configs/{name}"}, 1, 3600.0)

    # the end

    def _settle(self) -> None:
        """Wait until every message is answered and every run has ended."""
        until = self.loop.now + MOST_SECONDS
        while self.loop.now < until and not self.world.is_settled():
            self.loop.pause(LOOK_SECONDS)

    def _further(self, markets: list[str]) -> None:
        """Ask for runs with other data until one succeeds, then for the same one again."""
        for market in markets:
            self.world.data[market] += 1
            while (state := self._ask_again(market)) == "HELD":
                pass
            if state == "SUCCEEDED":
                self._ask_again(market, duplicate=True)
        self.loop.problems += at_end(self.world, final=True)
        if not self.loop.problems:
            self._decide(markets)

    def _ask_again(self, market: str, *, duplicate: bool = False) -> str | None:
        """Ask for a run and wait for its end; return its state, None if that is wrong."""
        config = config_of(market, 7, trials=1, tasks=1)
        message = self.world.publish({"config": config}, 7, [market])
        self._settle()
        result = message.results[0] if message.results else None
        status = self.world.runs().get(result.run_id) if result else None
        trained = "HELD" if result and is_bad(result.run_id) else "SUCCEEDED"
        want = "DUPLICATE" if duplicate else trained
        if status is None or status["state"] != want:
            found = status and (status["state"], status["error"])
            self.loop.problems.append(f"the further run of {market} is {found}, not {want}")
            return None
        return want

    def _decide(self, markets: list[str]) -> None:
        """Promote a run that is HELD by hand, then roll back from it.

        A run whose manifest is damaged cannot be promoted.
        """
        store = self.world.store()
        for market in markets:
            held = sorted(
                run_id
                for run_id, status in self.world.runs().items()
                if status
                and (status["market"], status["state"]) == (market, "HELD")
                and layout.manifest("r1", market, run_id) not in self.world.damaged
            )
            if not held:
                continue
            before = self._current(market)
            promote(store, held[0], reason="it is right after all", by="ann")
            if self._current(market) != held[0]:
                self.loop.problems.append(f"current of {market} is not {held[0]}, now promoted")
            rollback(store, market, "r1", reason="it was wrong", by="ann")
            if self._current(market) != before:
                self.loop.problems.append(f"current of {market} is not {before} after a rollback")

    def _current(self, market: str) -> str | None:
        stored = self.world.server.objects.get(f"robyn/r1/{market}/current.json")
        return json.loads(stored.data)["run_id"] if stored else None
