"""Priors of single channels are checked against the config's channels and target."""

from __future__ import annotations

from typing import Any

import pytest

from contract.config import Config
from contract.exceptions import ConfigError
from contract.loading import load_config
from job.posterior.prepare import priors_of
from tests.bad_configs import changed

CHANNELS = "posterior.priors.channels"


def parsed(changes: dict[str, Any]) -> Config:
    return load_config(changed(changes)).config


def test_a_cost_per_conversion_becomes_conversions_per_unit() -> None:
    prior = {"tv": {"cpa": 4.0, "uncertainty": 0.2}, "search": {"follows_demand": True}}
    config = parsed({"target.kind": "conversion", CHANNELS: prior})
    priors = priors_of(config)
    assert priors.of_channel("tv").roas == 0.25
    assert priors.of_channel("search").roas is None
    assert priors.of_channel("search").follows_demand


@pytest.mark.parametrize(
    ("prior", "sentence"),
    [
        ({"radio": {"roas": 2.0}}, "is no channel; allowed: search, tv"),
        ({"tv": {"cpa": 2.0}}, "the target is of the kind `revenue`; allowed: `roas`"),
        ({"tv": {"roas": 2.0, "cpa": 2.0}}, "stands beside `roas`; allowed: one of the two"),
        ({"tv": {"roas": 0.0}}, "allowed: a number above 0"),
    ],
)
def test_a_wrong_prior_is_refused_by_name(prior: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parsed({CHANNELS: prior})
    assert "posterior.priors.channels" in str(refused.value)
    assert sentence in str(refused.value)
