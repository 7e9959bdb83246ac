"""Feed one target of the fuzzer with inputs of atheris: TARGET INPUTS SEED (pip install atheris)."""

from __future__ import annotations

import sys
from typing import Any

import atheris
from hypothesis import HealthCheck, given, settings

with atheris.instrument_imports(include=["contract", "trigger", "job"]):
    from tests.faults.fuzz import targets


def main() -> None:
    """Feed one target until libFuzzer ends the process with its verdict."""
    name, number, seed = sys.argv[1:]
    target = targets()[name]

    @settings(database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(target.drawn)
    def feed(value: Any) -> None:
        target.take(value)

    limits = "-max_len=8192", "-len_control=0"  # short inputs are too short for a document
    arguments = [sys.argv[0], f"-runs={number}", f"-seed={seed}", *limits]
    atheris.Setup(arguments, feed.hypothesis.fuzz_one_input)  # type: ignore[attr-defined]
    atheris.Fuzz()


if __name__ == "__main__":
    main()
