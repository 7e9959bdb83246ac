"""Column names: their form in R and in tables, and the reserved names."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from contract.faults import Fault, Place, path_of
from contract.suggest import did_you_mean

# Columns that Robyn, prophet or the builtin engine add to the modelling table.
MODEL_NAMES = frozenset(
    {"ds", "y", "dep_var", "ds_lower", "ds_upper", "depVarHat", "solID"}
    | {"intercept", "train_size", "lambda"}
)
# Reserved words of R, which Robyn cannot use as column names.
R_WORDS = frozenset(
    {"if", "else", "repeat", "while", "function", "for", "next", "break", "in"}
    | {"TRUE", "FALSE", "NULL", "Inf", "NaN", "NA"}
    | {"NA_integer_", "NA_real_", "NA_complex_", "NA_character_"}
)


def safe_name(column: str) -> str:
    """Return the column's name in R, in tables and in the snapshot: letters, digits, `_` and `.`.

    >>> safe_name("Google Ads (€)")
    'Google_Ads'
    """
    name = re.sub(r"[^A-Za-z0-9_.]+", "_", column).strip("_.") or "column"
    return name if name[0].isalpha() else f"x{name}"


def repeated_columns(uses: Iterable[tuple[Place, str]]) -> Iterator[Fault]:
    """Yield a fault for each column that is used twice, before or after `safe_name`.

    Args:
        uses: the places in the config that name a column, each with its column.
    """
    seen: dict[str, tuple[Place, str]] = {}
    for place, column in uses:
        name = safe_name(column)
        if name not in seen:
            seen[name] = place, column
            continue
        first, other = seen[name]
        if column == other:
            problem = f"is `{column}`, which `{path_of(first)}` uses already; allowed: one use"
        else:
            problem = (
                f"is `{column}`, which becomes `{name}`, as does `{other}` (`{path_of(first)}`): "
                "all characters except letters, digits, `_` and `.` are replaced; "
                "rename one of the two"
            )
        yield Fault(at=place, problem=problem)


def reserved_columns(
    drivers: Iterable[tuple[Place, str]],
    others: Iterable[tuple[Place, str]],
    prophet: Collection[str],
) -> Iterator[Fault]:
    """Yield a fault for each column whose name is reserved by the model or by R.

    Args:
        drivers: places and columns of the model's variables.
        others: places and columns of date and target, which the model renames.
        prophet: the components that prophet adds to the model.
    """
    for place, column in drivers:
        name = safe_name(column)
        if name in MODEL_NAMES or name in prophet:
            yield Fault(
                at=place,
                problem=f"is `{column}`, a name that the model uses itself; rename the column",
            )
    for place, column in (*drivers, *others):
        if safe_name(column) in R_WORDS:
            yield Fault(
                at=place, problem=f"is `{column}`, a word of the R language; rename the column"
            )


def unknown_columns(named: Iterable[str], known: Collection[str]) -> Iterator[Fault]:
    """Yield a fault for each name that is not a column of the config."""
    for column in named:
        if column not in known:
            hint = did_you_mean(column, known)
            yield Fault(at=(column,), problem=f"is not a column that the config uses.{hint}")
