"""Names of columns: what they become in R and in tables, and which ones are reserved."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from contract.faults import Fault, Place, path_of
from contract.suggest import did_you_mean

# Columns that Robyn, prophet or the builtin engine add to the modelling table themselves.
MODEL_NAMES = frozenset(
    {"ds", "y", "dep_var", "ds_lower", "ds_upper", "depVarHat", "solID"}
    | {"intercept", "train_size", "lambda"}
)
# Words of the R language, which Robyn cannot use as names of columns.
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
    """Every use of a column needs a column of its own, also after `safe_name`.

    Args:
        uses: each place in the config that names a column, with that column.
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
                f"is `{column}`, which is equal to `{other}` (`{path_of(first)}`) once other "
                f"characters than letters, digits, `_` and `.` are replaced (`{name}`); "
                "rename one of the two"
            )
        yield Fault(at=place, problem=problem)


def reserved_columns(
    drivers: Iterable[tuple[Place, str]],
    others: Iterable[tuple[Place, str]],
    prophet: Collection[str],
) -> Iterator[Fault]:
    """No column has a name that the model uses itself.

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
    """Every name is a column that the config uses."""
    for column in named:
        if column not in known:
            hint = did_you_mean(column, known)
            yield Fault(at=(column,), problem=f"is not a column that the config uses.{hint}")
