"""Configs: what is accepted, what every refusal says, where values come from."""

from __future__ import annotations

import time
from datetime import date
from typing import Any

import pytest
import yaml

from contract.config import safe_name
from contract.documents import parse_document
from contract.exceptions import ConfigError
from contract.loading import load_config, schema
from contract.training import PRESETS, Preset
from tests import bad_configs
from tests.bad_configs import BAD, EXAMPLE, FIXED, H, lift_test


def changed(path: str, value: Any) -> dict[str, Any]:
    return bad_configs.changed({path: value})


def problems(document: dict[str, Any] | str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_config(document)
    assert caught.value.exit_code == 64
    return caught.value.problems


@pytest.mark.parametrize(
    "source",
    [
        {"type": "file", "path": "data/de_weekly.csv"},
        {"type": "duckdb", "path": "w.duckdb", "table": "mmm.daily"},
        {"type": "snowflake", "table": "DB.SCHEMA.TABLE"},
        {"type": "snowflake", "query": "select * from DB.SCHEMA.TABLE"},
    ],
)
def test_the_contracts_example_is_accepted_with_every_source(source: dict[str, str]) -> None:
    config = load_config(changed("source", source)).config
    assert config.source.model_dump(exclude_none=True) == source
    assert (config.training.trials, config.training.iterations) == (3, 200)


@pytest.mark.parametrize(("changes", "said"), BAD, ids=lambda value: str(value)[:80])
def test_a_refusal_names_field_value_and_remedy(changes: dict[str, Any], said: str) -> None:
    assert problems(bad_configs.changed(changes)) == said.split("\n")


@pytest.mark.parametrize(
    "changes",
    [
        {H: {"TV_GRP_alphas": [0.0001, 9.999], "TV_GRP_gammas": [0.01, 1], "TV_GRP_thetas": [0, 0.9]}},
        {"training.adstock": "weibull_cdf", H: {"TV_GRP_shapes": [0, 19.9], "TV_GRP_scales": [0, 1]}},
        {H: {"lambda": [0, 1], "train_size": [0.5, 1], "NEWSLETTER_alphas": [2]}},
        {H: FIXED},
        {"training.add_penalty_factor": True, H: {"trend_penalty": [0, 4], "EVENTS_penalty": [1]}},
        {"training.add_penalty_factor": True, "annotations": "events.csv", H: {"sale_penalty": [0, 1]}},
        {"date.column": "ds", "target.column": "dep_var"},
        {"target.column": "y"},
        {"organic": ["TREND"]},
        {"context": ["trend"], "training.prophet": ["season"]},
        {"context": ["EVENTS"]},
        {"date.frequency": "month", "training.prophet": ["trend", "season"]},
        {"training.engine": "builtin", "training.prophet": []},
        {"calibration": lift_test(channel="tv+search"), "training.objective_weights": [1, 1, 0]},
        {"calibration": lift_test(start="2022-01-03"), "date.start": "2022-01-05"},
        {"calibration": lift_test(end="2022-06-20"), "date.end": "2022-06-26"},
        {"calibration": lift_test(), "date.window_end": "2022-07-03"},
        {"outputs.allocator": [{"channel_low": 2, "channel_high": 2}]},
        {"outputs.allocator": []},
        {"date.start": "0001-01-01", "date.week_start": "sunday"},
        {"channels.1.exposure": None},
        {"limits.max_cost": 5},
        {"outputs.intervals": {"draws": 500}},
    ],
    ids=str,
)  # fmt: skip
def test_what_can_be_trained_is_accepted(changes: dict[str, Any]) -> None:
    resolved = load_config(bad_configs.changed(changes))
    assert load_config(resolved.values).config == resolved.config


def test_every_fault_is_reported_at_once() -> None:
    document = changed("training.adstok", "x") | {"revison": "r1"}
    del document["target"]
    assert len(problems(document)) == 3


def test_what_the_speed_buys_is_off_and_can_be_asked_for() -> None:
    plain = load_config(EXAMPLE).config
    assert plain.training.max_iterations is None
    assert plain.outputs.intervals.method.value == "cluster"
    asked = changed("outputs.intervals", {"method": "bootstrap", "draws": 900, "block": 4})
    asked["training"] = {"max_iterations": 9000}
    config = load_config(asked).config
    assert config.training.max_iterations == 9000
    assert config.outputs.intervals.block == 4
    # What was resolved can be read again.
    again = load_config(yaml.safe_dump(plain.model_dump(mode="json"))).config
    assert again == plain


@pytest.mark.parametrize("preset", list(Preset))
def test_a_preset_gives_trials_and_iterations_unless_they_are_written(preset: Preset) -> None:
    resolved = load_config(changed("training.preset", preset.value))
    assert resolved.config.training.trials == PRESETS[preset]["trials"]
    assert resolved.origins["training.trials"] == f"preset {preset.value}"
    written = load_config(changed("training", {"preset": preset.value, "trials": 7}))
    assert written.config.training.trials == 7
    assert written.origins["training.trials"] == "config"


def test_origins_cover_every_value() -> None:
    resolved = load_config(EXAMPLE, overrides={"training": {"seed": 7}})
    assert resolved.config.training.seed == 7
    assert resolved.origins["training.seed"] == "override"
    assert resolved.origins["channels[0].spend"] == "config"
    assert resolved.origins["training.workers"] == "default"


def test_the_hash_depends_on_meaning_not_on_writing() -> None:
    spelled_out = changed("training.trials", 3)
    assert load_config(spelled_out).config.hash() == load_config(EXAMPLE).config.hash()
    assert (
        load_config(changed("training.seed", 5)).config.hash() != load_config(EXAMPLE).config.hash()
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: b: c", "line 1, column 5"),
        ("- 1", "is a list; allowed: a mapping"),
        ("a: 1\na: 2", "the key `a` is repeated"),
        ("a: !!python/object/apply:os.system ['true']", "uses the YAML tag"),
        ("a: &x [1]\nb: *x", "aliases"),
        ("? [1]\n: 2", "keys must be plain text"),
        ("", "is empty"),
        (b"\xff\xfe\x00", "not UTF-8"),
        ("a: " + "[" * 2000, "nested deeper than 20 levels"),
        ("a: !!binary eA==", "uses the YAML tag"),
        ("a: 2020-13-45", "not valid YAML"),
        ("a: 1e999", "has the number inf"),
        ("x" * 300_000, "allowed: at most"),
    ],
)
def test_unsafe_or_broken_text_is_refused(text: str | bytes, said: str) -> None:
    with pytest.raises(ConfigError, match=said.replace("(", r"\(")):
        parse_document(text, what="the config")


def test_deep_nesting_is_refused() -> None:
    nested: dict[str, Any] = {}
    for _ in range(50):
        nested = {"a": nested}
    assert "nested" in problems(nested)[0]


def test_the_schema_knows_every_field() -> None:
    made = schema()
    assert set(made["properties"]) >= {
        "version",
        "market",
        "source",
        "channels",
        "training",
        "gate",
    }
    assert made["additionalProperties"] is False


@pytest.mark.parametrize(
    ("column", "name"),
    [("TV_COST", "TV_COST"), ("Google Ads (€)", "Google_Ads"), ("2nd tv", "x2nd_tv")],
)
def test_safe_names(column: str, name: str) -> None:
    assert safe_name(column) == name


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"),
        ("yes", "yes"),
        ("off", "off"),
        ("1:30", "1:30"),
        ("1:30.5", "1:30.5"),
        ("010", "010"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("2022-01-03 10:00:00", "2022-01-03 10:00:00"),
        ("=", "="),
        ("true", True),
        ("~", None),
        ("-3", -3),
        ("0", 0),
        ("0.5", 0.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("2022-01-03", date(2022, 1, 3)),
        ('"1"', "1"),
    ],
)
def test_a_yaml_scalar_means_what_it_looks_like(text: str, value: Any) -> None:
    read = parse_document(f"a: {text}", what="it")["a"]
    assert (read, type(read)) == (value, type(value))


def test_norway_is_a_market() -> None:
    assert load_config(EXAMPLE.replace("market: DE", "market: NO")).config.market == "NO"


@pytest.mark.parametrize(
    ("overrides", "option", "said"),
    [
        ({"training": {"trials": "abc"}}, "--set",
         "`--set training.trials=abc`: `training.trials` is `abc`; allowed: a whole number from 1 to 100."),
        ({"training": {"trials": "abc"}}, None,
         "`overrides`: `training.trials` is `abc`; allowed: a whole number from 1 to 100."),
        ({"date": {"end": "2021-01-01"}}, "--set",
         "`--set date.end=2021-01-01`: `date.end` is 2021-01-01; allowed: after `start` (2022-01-03)."),
        ({"outputs": {"allocator": [{"channel_low": 3}]}}, "--set",
         "`--set outputs.allocator=[{'channel_low': 3}]`: `outputs.allocator[0].channel_low` is 3; "
         "allowed: at most `channel_high` (2)."),
        ({"trainin": {"trials": 1}}, "--set",
         "`trainin` is not a known field. Did you mean `training`?"),
    ],
)  # fmt: skip
def test_a_fault_of_an_override_names_the_override(
    overrides: dict[str, Any], option: str | None, said: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(EXAMPLE, overrides=overrides, option=option)
    assert caught.value.problems == [said]


def test_a_fault_of_the_config_names_no_override() -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(
            changed("training.seed", "x"), overrides={"training": {"trials": 2}}, option="--set"
        )
    assert caught.value.problems[0].startswith("`training.seed` is `x`")


@pytest.mark.parametrize(
    "document",
    [
        changed(H, {f"x{i}_alphas": [1] for i in range(5000)}),
        changed("aggregation", {f"x{i}": "sum" for i in range(5000)}),
        changed("calibration", lift_test(channel="+".join(f"a{i}" for i in range(150))) * 200),
        changed("organic", ["ds"] * 60),
    ],
    ids=["hyperparameters", "aggregation", "calibration", "organic"],
)
def test_thousands_of_faults_take_no_time(document: dict[str, Any]) -> None:
    began = time.process_time()
    found = problems(document)
    assert time.process_time() - began < 2
    assert len(found) == 21
    assert found[-1] == "There are more faults."
