"""The result tables: one definition of their columns for Parquet, BigQuery and the documentation.

R writes CSV with the columns below (`r/R/tables.R`); `run_id`, `market` and `revision` come
first in every table and are added here.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from contract.exceptions import ModelError

RUN_COLUMNS: Final = ("run_id", "market", "revision")

HYPERPARAMETERS: Final = pa.list_(
    pa.struct([pa.field("name", pa.string()), pa.field("value", pa.float64())])
)

_TYPES: Final[dict[str, pa.DataType]] = {
    "text": pa.string(),
    "flag": pa.bool_(),
    "whole": pa.int64(),
    "number": pa.float64(),
    "date": pa.date32(),
    "hyperparameters": HYPERPARAMETERS,
}

# name: (type, one sentence)
_Columns = dict[str, tuple[str, str]]

_RUN: Final[_Columns] = {
    "run_id": ("text", "Id of the run."),
    "market": ("text", "Market of the run."),
    "revision": ("text", "Revision of the config."),
}
_MODEL: Final[_Columns] = {
    "model_id": ("text", "Id of the model: trial, iteration and position, joined by `_`."),
    "is_best_model": ("flag", "True for the chosen model."),
}
_VARIABLE: Final[_Columns] = {
    "variable": ("text", "Data column, component of prophet, or intercept."),
    "kind": ("text", "Kind of the variable: intercept, prophet, context, paid_media or organic."),
    "channel": ("text", "Name of the channel; empty if the variable is not a medium."),
}
_FIT: Final[_Columns] = {
    "nrmse": ("number", "NRMSE that the search minimised; of the validation rows with a split."),
    "decomp_rssd": ("number", "DECOMP.RSSD, the distance between spend shares and effect shares."),
    "mape": ("number", "MAPE of the lift tests; 0 without calibration."),
}

_TABLES: Final[dict[str, tuple[str, _Columns]]] = {
    "models": (
        "One row per candidate model: a model on one of the chosen Pareto fronts.",
        {
            **_MODEL,
            "trial": ("whole", "Trial of the search, from 1."),
            "iteration": ("whole", "Iteration of the trial, from 1."),
            "is_cluster_winner": ("flag", "True for the lowest error score in the cluster."),
            "cluster": ("whole", "Cluster of similar candidates; empty for duplicate candidates."),
            "pareto_front": ("whole", "Pareto front of NRMSE and DECOMP.RSSD; 1 is the best."),
            "error_score": ("number", "Combined error among the candidates; lower is better."),
            **_FIT,
            "nrmse_train": ("number", "NRMSE of the training rows."),
            "nrmse_val": ("number", "NRMSE of the validation rows; empty without a split."),
            "nrmse_test": ("number", "NRMSE of the test rows; empty without a split."),
            "rsq_train": ("number", "Adjusted R² of the training rows."),
            "rsq_val": ("number", "Adjusted R² of the validation rows; empty without a split."),
            "rsq_test": ("number", "Adjusted R² of the test rows; empty without a split."),
            "lambda": ("number", "Penalty of the ridge regression."),
            "lambda_share": ("number", "Penalty on the search's scale, from 0 to 1."),
            "train_size": ("number", "Share of the rows that are training rows."),
            "all_signs_positive": ("flag", "True if no variable has a negative contribution."),
            "has_zero_channel": ("flag", "True if a paid channel has the coefficient zero."),
            "hyperparameters": ("hyperparameters", "Adstock, saturation and penalty parameters."),
        },
    ),
    "decomposition": (
        "One row per candidate model and variable: its contribution in the modelling window.",
        {
            **_MODEL,
            **_VARIABLE,
            "coefficient": ("number", "Coefficient of the transformed variable."),
            "contribution": ("number", "Sum of the target that the variable explains."),
            "contribution_share": ("number", "Contribution as a share of the total prediction."),
            "spend": ("number", "Spend in the window; only for paid channels."),
            "spend_share": ("number", "Share of all paid spend."),
            "effect_share": ("number", "Share of the contribution of all paid channels."),
            "mean_spend": ("number", "Mean spend per period."),
            "mean_input": ("number", "Mean input per period after carry-over."),
            "mean_response": ("number", "Mean contribution per period."),
            "mean_exposure": ("number", "Mean exposure per period, in its own unit."),
            "carryover_share": ("number", "Share of the response that is due to earlier input."),
            "roas": ("number", "Contribution per unit of spend."),
            "cpa": ("number", "Spend per unit of contribution."),
            "interval_method": (
                "text",
                "cluster (similar models) or bootstrap (refits to resampled periods, only for the "
                "best model); empty without intervals.",
            ),
            "interval_mean": ("number", "Mean ROAS, or CPA for conversions, by this method."),
            "interval_low": ("number", "Lower end of ROAS or CPA by this method."),
            "interval_high": ("number", "Upper end of ROAS or CPA; empty if a CPA has none."),
            "share_low": ("number", "Lower end of the contribution share by this method."),
            "share_high": ("number", "Upper end of the contribution share by this method."),
        },
    ),
    "decomposition_by_date": (
        "One row per cluster winner, period and variable.",
        {
            **_MODEL,
            "date": ("date", "First day of the period."),
            **_VARIABLE,
            "contribution": ("number", "Contribution of the variable to the prediction."),
            "actual": ("number", "Target of the period, repeated for each variable."),
            "predicted": ("number", "Prediction of the period, repeated for each variable."),
        },
    ),
    "response_curves": (
        "One row per cluster winner, medium and point of its response curve.",
        {
            **_MODEL,
            **_VARIABLE,
            "point": ("whole", "Number of the point, from 1; point 1 has no input."),
            "input": ("number", "Input per period after carry-over: spend, or the organic unit."),
            "response": ("number", "Response per period, in units of the target."),
            "marginal_response": ("number", "Response to one more unit of input."),
            "is_observed": ("flag", "False beyond the largest input in the data."),
        },
    ),
    "allocation": (
        "One row per scenario of the budget allocator and paid channel, at least for the best "
        "model.",
        {
            **_MODEL,
            "scenario_number": ("whole", "Number of the scenario in the config, from 1."),
            "scenario": ("text", "max_response or target_efficiency."),
            "variable": _VARIABLE["variable"],
            "channel": ("text", "Name of the channel."),
            "periods": ("whole", "Number of periods in the window."),
            "total_budget": ("number", "Allocated spend of all channels in these periods."),
            "target_value": ("number", "Target ROAS or CPA; empty for max_response."),
            "is_feasible": ("flag", "False if no allocation within the bounds meets the target."),
            "spend_now": ("number", "Mean spend per period in the window."),
            "spend_optimal": ("number", "Allocated spend per period."),
            "spend_share_now": ("number", "Share of all paid spend in the window."),
            "spend_share_optimal": ("number", "Share of all allocated spend."),
            "lower_bound": ("number", "Minimum spend per period that is allowed."),
            "upper_bound": ("number", "Maximum spend per period that is allowed."),
            "response_now": ("number", "Response to the mean spend per period."),
            "response_optimal": ("number", "Response to the allocated spend per period."),
            "marginal_response_now": ("number", "Response to one more unit of the mean spend."),
            "marginal_response_optimal": (
                "number",
                "Response to one more unit of the allocated spend.",
            ),
        },
    ),
    "pareto": (
        "One row per model that the search tried.",
        {
            **_MODEL,
            "trial": ("whole", "Trial of the search, from 1."),
            "iteration": ("whole", "Iteration of the trial, from 1."),
            **_FIT,
            "rsq_train": ("number", "Adjusted R² of the training rows."),
            "pareto_front": ("whole", "Pareto front; empty for models that are not ranked."),
            "is_candidate": ("flag", "True if the model is in the table `models`."),
        },
    ),
    "posterior": (
        "One row per paid channel and one for all of them: what the posterior says. Empty if the "
        "posterior is disabled. All intervals hold 90% of the draws.",
        {
            "channel": ("text", "Name of the channel; empty for all paid channels together."),
            "spend": ("number", "Spend in the window."),
            "roas": ("number", "Median of the contribution per unit of spend."),
            "roas_low": ("number", "Lower end of the interval of the contribution per spend."),
            "roas_high": ("number", "Upper end of the interval of the contribution per spend."),
            "cpa": ("number", "Median of spend per unit of contribution; empty without effect."),
            "cpa_low": ("number", "Lower end of the interval of spend per unit of contribution."),
            "cpa_high": ("number", "Upper end; empty if the channel may have no effect."),
            "contribution": ("number", "Median of the contribution in the window."),
            "contribution_low": ("number", "Lower end of the interval of the contribution."),
            "contribution_high": ("number", "Upper end of the interval of the contribution."),
            "contribution_share": ("number", "Median contribution as a share of the target."),
            "share_low": ("number", "Lower end of the interval of that share."),
            "share_high": ("number", "Upper end of the interval of that share."),
            "marginal_roas": ("number", "Median contribution of one more unit of spend."),
            "marginal_roas_low": ("number", "Lower end of the interval of marginal ROAS."),
            "marginal_roas_high": ("number", "Upper end of the interval of marginal ROAS."),
            "carry_over": (
                "number",
                "Median share of the effect that comes after the period of the spend.",
            ),
            "carry_over_low": ("number", "Lower end of the interval of that share."),
            "carry_over_high": ("number", "Upper end of the interval of that share."),
            "no_effect": ("number", "Probability that the channel has no effect."),
            "is_identified": (
                "flag",
                "False if the data say little about the channel: its interval is mostly the prior.",
            ),
            "r_hat": ("number", "Agreement of the chains; 1 is best, above 1.1 is doubtful."),
            "effective_draws": (
                "number",
                "As many independent draws would tell as much about the median.",
            ),
        },
    ),
    "posterior_draws": (
        "One row per draw from the posterior and paid channel; at most 1000 draws.",
        {
            "draw": ("whole", "Number of the draw, from 1; equal numbers belong together."),
            "channel": ("text", "Name of the channel."),
            "roas": ("number", "Contribution per unit of spend."),
            "contribution": ("number", "Contribution in the window."),
            "marginal_roas": ("number", "Contribution of one more unit of spend."),
        },
    ),
    "posterior_curves": (
        "One row per paid channel and amount of spend: what it would bring in the window.",
        {
            "channel": ("text", "Name of the channel."),
            "spend_factor": ("number", "The spend of every period, as a multiple of the real one."),
            "spend": ("number", "Spend in the window."),
            "contribution": ("number", "Median of the contribution in the window."),
            "contribution_low": ("number", "Lower end of the interval of the contribution."),
            "contribution_high": ("number", "Upper end of the interval of the contribution."),
        },
    ),
    "lift_tests": (
        "One row per lift test: what it measured, and what the posterior expects of it.",
        {
            "test": ("whole", "Number of the test in `calibration`, from 1."),
            "channel": ("text", "The channels that it tested, joined by `+`."),
            "start": ("text", "First day of the test."),
            "end": ("text", "Last day of the test."),
            "lift": ("number", "The measured lift."),
            "standard_error": ("number", "Its standard error."),
            "before": ("number", "Median of the lift that the posterior without tests expects."),
            "before_low": ("number", "Lower end of the interval of that lift."),
            "before_high": ("number", "Upper end of the interval of that lift."),
            "after": ("number", "Median of the lift that the posterior with all tests expects."),
            "after_low": ("number", "Lower end of the interval of that lift."),
            "after_high": ("number", "Upper end of the interval of that lift."),
        },
    ),
}

DESCRIPTIONS: Final[dict[str, str]] = {name: about for name, (about, _) in _TABLES.items()}


def _schema(columns: _Columns) -> pa.Schema:
    return pa.schema(
        [
            pa.field(name, _TYPES[kind], metadata={"description": sentence})
            for name, (kind, sentence) in {**_RUN, **columns}.items()
        ]
    )


SCHEMAS: Final[dict[str, pa.Schema]] = {
    name: _schema(columns) for name, (_, columns) in _TABLES.items()
}


# Tables that are empty without a posterior.
WITHOUT_POSTERIOR: Final = ("posterior", "posterior_draws", "posterior_curves", "lift_tests")


def read_csv(csv_path: Path, table_name: str, *, run: Mapping[str, str]) -> pa.Table:
    """Read a table that R wrote as CSV.

    Args:
        csv_path: The CSV file, with its columns in any order.
        table_name: A key of SCHEMAS.
        run: `run_id`, `market` and `revision` of the rows.

    Raises:
        ModelError: A column is missing, unknown or of the wrong type.
    """
    schema = SCHEMAS[table_name]
    expected = [name for name in schema.names if name not in RUN_COLUMNS]
    types = {name: _csv_type(schema.field(name).type) for name in expected}
    convert = pa_csv.ConvertOptions(
        column_types=types,
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=True,
        true_values=["TRUE"],
        false_values=["FALSE"],
    )
    try:
        rows = pa_csv.read_csv(
            csv_path,
            parse_options=pa_csv.ParseOptions(newlines_in_values=True),
            convert_options=convert,
        )
    except pa.ArrowInvalid as error:
        raise ModelError(f"R's table `{table_name}` cannot be read: {error}") from error
    if set(rows.column_names) != set(expected):
        differing = sorted(set(rows.column_names) ^ set(expected))
        raise ModelError(
            f"R's table `{table_name}` does not have the declared columns; these differ: "
            f"{', '.join(differing)}"
        )
    columns = [pa.array([run[name]] * rows.num_rows, pa.string()) for name in RUN_COLUMNS]
    for name in expected:
        column = rows.column(name)
        if schema.field(name).type == HYPERPARAMETERS:
            column = _hyperparameters(column)
        columns.append(column)
    return pa.Table.from_arrays(columns, schema=schema)


def to_parquet(
    csv_path: Path, table_name: str, out_path: Path, *, columns: Mapping[str, str]
) -> int:
    """Convert a table that R wrote to Parquet and return its number of rows.

    Args:
        csv_path: The CSV file that R wrote.
        table_name: A key of SCHEMAS.
        out_path: The file to write; it is replaced if it exists.
        columns: `run_id`, `market` and `revision`, which become the first columns.

    Raises:
        ModelError: See `read_csv`.
    """
    table = read_csv(csv_path, table_name, run=columns)
    pq.write_table(table, out_path, compression="zstd")
    return int(table.num_rows)


def _csv_type(kind: pa.DataType) -> pa.DataType:
    return pa.string() if kind == HYPERPARAMETERS else kind


def _hyperparameters(column: pa.ChunkedArray) -> pa.Array:
    """Convert JSON objects of names and numbers into lists of (name, value)."""
    rows: list[list[dict[str, Any]]] = [
        [{"name": name, "value": float(value)} for name, value in json.loads(text).items()]
        for text in pc.fill_null(column, "{}").to_pylist()
    ]
    return pa.array(rows, HYPERPARAMETERS)


def tables_to_parquet(output: Path, columns: Mapping[str, str]) -> dict[str, int]:
    """Turn R's CSV tables into Parquet with declared types; returns rows by table.

    Raises:
        ModelError: a table is missing or not as declared.
    """
    csv_folder, parquet_folder = output / "tables", output / "parquet"
    parquet_folder.mkdir(exist_ok=True)
    rows = {}
    for name in SCHEMAS:
        source = csv_folder / f"{name}.csv"
        if not source.is_file() and name in WITHOUT_POSTERIOR:
            pq.write_table(SCHEMAS[name].empty_table(), parquet_folder / f"{name}.parquet")
            rows[name] = 0
            continue
        if not source.is_file():
            raise ModelError(f"R ended well but wrote no table `{name}`")
        rows[name] = to_parquet(source, name, parquet_folder / f"{name}.parquet", columns=columns)
    shutil.rmtree(csv_folder)
    parquet_folder.rename(csv_folder)
    return rows
