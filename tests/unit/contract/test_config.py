"""Configs: what is accepted, what every refusal says, where values come from."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
import yaml

from contract.config import safe_name
from contract.exceptions import ConfigError
from contract.loading import load_config, parse_document, schema
from contract.training import PRESETS, Preset

# The contract's own example, word for word; every version must accept it.
EXAMPLE = """
version: 1
market: DE
revision: r1
source: {type: file, path: data/de_weekly.csv}        # or {type: duckdb, path: w.duckdb, table: mmm.daily}
                                                      # or {type: snowflake, table: DB.SCHEMA.TABLE} or {…, query: "select …"}
date: {column: DATE, start: 2022-01-03, frequency: week}
target: {column: REVENUE, kind: revenue}
channels:
  - {name: tv, spend: TV_COST, exposure: TV_GRP}
  - {name: search, spend: SEARCH_COST, exposure: SEARCH_CLICKS}
organic: [NEWSLETTER]
context: [COMPETITOR_SALES]
factors: [EVENTS]
training: {preset: test, adstock: geometric, seed: 123, holidays: DE}
"""


def changed(path: str, value: Any) -> dict[str, Any]:
    document: dict[str, Any] = deepcopy(yaml.safe_load(EXAMPLE))
    place: Any = document
    *parents, leaf = path.split(".")
    for parent in parents:
        place = place[int(parent)] if parent.isdigit() else place.setdefault(parent, {})
    place[int(leaf) if leaf.isdigit() else leaf] = value
    return document


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


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("training.adstok", "geometric", "`training.adstok` is not a known field. Did you mean `adstock`?"),
        ("training.adstock", "geometrc",
         "`training.adstock` is `geometrc`; allowed: geometric, weibull_cdf, weibull_pdf. Did you mean `geometric`?"),
        ("date.frequency", "weekly", "allowed: day, week, month. Did you mean `week`?"),
        ("source", {"type": "snowflak", "table": "T"}, "`source.type` is `snowflak`; allowed: file, duckdb, snowflake, bigquery. Did you mean `snowflake`?"),
        ("source", {"path": "x.csv"}, "`source.type` is missing"),
        ("source", {"type": "duckdb", "path": "w"}, "exactly one of `table` and `query`"),
        ("source", {"type": "file", "path": "x", "table": "t"}, "`source.table` is not a known field"),
        ("source", {"type": "snowflake", "table": "a; drop table b"}, "a table as NAME, SCHEMA.NAME"),
        ("market", "../etc", "letters, digits, `_` and `-`"),
        ("channels.0.name", "tv spend", "`channels[0].name` is `tv spend`; allowed: letters, digits, `_`"),
        ("channels.0", {"name": "tv"}, "`channels[0].spend` is missing"),
        ("channels.1.name", "tv", "`channels` has `tv` twice"),
        ("channels.1.spend", "REVENUE", "column `REVENUE` is used as target, spend"),
        ("training.trials", "three", "`training.trials` is `three`"),
        ("training.trials", 0, "`training.trials` is `0`; input should be greater than or equal to 1"),
        ("training.hyperparameters", {"TV_GRP_alphas": [3, 1]}, "the lower bound comes first"),
        ("training.train_size", [0.05, 0.5], "allowed: above 0.1, at most 1"),
        ("date.end", "2021-01-01", "`end` is 2021-01-01; allowed: after `start` (2022-01-03)"),
        ("aggregation", {"NOPE": "sum"}, "`aggregation` names `NOPE`"),
        ("calibration", [{"channel": "radio", "start": "2022-02-01", "end": "2022-03-01", "lift": 1, "spend": 1}],
         "`calibration` names channel `radio`; allowed: NEWSLETTER, search, tv"),
        ("version", 2, "`version` is `2`; allowed: 1."),
    ],
)  # fmt: skip
def test_a_refusal_names_field_value_and_remedy(path: str, value: Any, said: str) -> None:
    document = (
        yaml.safe_load(EXAMPLE) | {"version": value} if path == "version" else changed(path, value)
    )
    assert any(said in problem for problem in problems(document)), problems(document)


def test_every_fault_is_told_at_once() -> None:
    document = changed("training.adstok", "x") | {"revison": "r1"}
    del document["target"]
    assert len(problems(document)) == 3


@pytest.mark.parametrize("field", ["promotion.max_roas_change", "training.min_r2"])
def test_fields_of_the_contract_without_behaviour_are_refused_not_ignored(field: str) -> None:
    assert any("is not supported yet" in problem for problem in problems(changed(field, 0.5)))


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("training.max_iterations", 5, "greater than or equal to 10"),
        (
            "training",
            {"iterations": 2000, "max_iterations": 1000},
            "`max_iterations` is 1000; allowed: at least `iterations` (2000)",
        ),
        (
            "training",
            {"search": "robyn", "max_iterations": 5000},
            "`max_iterations` needs `search: fast`",
        ),
        (
            "training",
            {"engine": "robyn", "hyperparameters": {"TV_GRP_penalty": [0.2, 0.5]}},
            "`hyperparameters.TV_GRP_penalty`: Robyn takes no range of a penalty factor",
        ),
        (
            "training",
            {"hyperparameters": {"TV_GRP_penalty": [0.2, 0.5]}},
            "`hyperparameters.TV_GRP_penalty` needs `add_penalty_factor: true`",
        ),
        ("outputs.intervals", {"method": "bootsrap"}, "Did you mean `bootstrap`?"),
        ("outputs.intervals", {"draws": 900}, "`draws` needs `method: bootstrap`"),
        ("outputs.intervals", {"method": "none", "block": 4}, "`block` needs `method: bootstrap`"),
        ("outputs.intervals.level", 95, "less than or equal to 0.99"),
    ],
)
def test_options_without_sense_are_refused(path: str, value: Any, said: str) -> None:
    found = problems(changed(path, value))
    assert any(said in problem for problem in found), found


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
        ("a: 1\na: 2", "the key `a` stands twice"),
        ("a: !!python/object/apply:os.system ['true']", "uses the YAML tag"),
        ("a: &x [1]\nb: *x", "aliases"),
        ("? [1]\n: 2", "keys must be plain text"),
        ("", "is a NoneType"),
        (b"\xff\xfe\x00", "not UTF-8"),
        ("a: " + "[" * 2000, "nested deeper than 20 levels"),
        ("a: !!binary eA==", "uses the YAML tag"),
        ("a: 2020-13-45", "not valid YAML"),
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


def test_columns_that_would_share_a_safe_name_are_refused() -> None:
    assert "cannot be told from another" in problems(changed("organic", ["a b", "a-b"]))[0]
