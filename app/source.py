"""Choose the table of a new market: an upload, a DuckDB file, Snowflake or BigQuery."""

from __future__ import annotations

import os
from typing import Any

import streamlit as st

from app import actions
from app.deployment import Deployment
from app.frame import errors
from app.people import Person
from app.text import code
from contract import environment
from contract.exceptions import ConfigError
from mmm.propose.browse import written
from mmm.uploads import ENDINGS

Source = dict[str, Any] | None
KINDS = {
    "Upload a file": "file",
    "Snowflake": "snowflake",
    "BigQuery": "bigquery",
    "DuckDB file": "duckdb",
}


def choose(at: Deployment, who: Person) -> Source:
    """Show the choice; return the source once it is complete."""
    titles = [t for t, kind in KINDS.items() if at.is_local or kind != "duckdb"]
    title = st.segmented_control("Where is the table?", titles, default=titles[0], key="kind")
    kind = KINDS[title or titles[0]]
    if kind == "file":
        return _upload(at, who)
    _connection(kind)
    where = {}
    if kind == "duckdb":
        where["path"] = st.text_input("Path of the file", placeholder="w.duckdb", key="at-duckdb")
        if not where["path"]:
            st.markdown("Give the path of a file to see its tables.")
            return None
    how = st.segmented_control("Read", ["A table", "A query"], default="A table", key=f"how-{kind}")
    if how == "A query":
        query = st.text_area("A single SELECT", key=f"query-{kind}", height=160)
        return {"type": kind, **where, "query": query} if query.strip() else None
    with errors():
        table = _table(kind, at, who, where)
        return {"type": kind, **where, "table": table} if table else None
    return None


def _upload(at: Deployment, who: Person) -> Source:
    file = st.file_uploader(
        "CSV, Parquet or Excel", type=[one.rpartition(".")[2] for one in ENDINGS], key="upload"
    )
    if file is None:
        st.markdown("One row per day or week, with a date, a target and spends. At most 200 MB.")
        return None
    known = st.session_state.get("uploaded")
    if known is None or known[0] != file.file_id:  # its content is hashed once, not at each click
        path = actions.upload_table(at, who, file.name, file.getvalue())
        st.session_state["uploaded"] = known = (file.file_id, path)
    return {"type": "file", "path": known[1]}


def _connection(kind: str) -> None:
    """Say by which identity the console reads; the page never asks for a password."""
    if kind == "snowflake":
        names = ("SNOWFLAKE_ACCOUNT", "SNOWFLAKE_USER", "SNOWFLAKE_ROLE", "SNOWFLAKE_WAREHOUSE")
        if not os.environ.get(names[0]):
            raise ConfigError(
                "this console has no connection to Snowflake; in its deployment, set "
                "`SNOWFLAKE_ACCOUNT` and the other variables of docs/deploy.md"
            )
        parts = [
            f"{name.rpartition('_')[2].lower()} {code(os.environ[name])}"
            for name in names
            if os.environ.get(name)
        ]
        st.markdown(f"Read by this deployment's identity: {', '.join(parts)}.")
    elif kind == "bigquery":
        st.markdown("Read by this deployment's service account.")


def _table(kind: str, at: Deployment, who: Person, where: dict[str, str]) -> str | None:
    """Show the choice of a table, level by level; return its name as `source.table` has it."""
    if kind == "duckdb":
        return _choice("Table", None, kind, (where["path"],), at, who)
    first, second, third = st.columns(3)
    with first:
        outer = _outermost(kind, at, who)
    if not outer:
        return None
    with second:
        label, usual = ("Schema", "SNOWFLAKE_SCHEMA") if kind == "snowflake" else ("Dataset", "")
        inner = _choice(label, os.environ.get(usual), kind, (outer,), at, who)
    if not inner:
        return None
    with third:
        table = _choice("Table", None, kind, (outer, inner), at, who)
    return written((outer, inner, table), kind) if table else None


def _outermost(kind: str, at: Deployment, who: Person) -> str | None:
    """Show the choice of a database or a project."""
    if kind == "bigquery":
        usual = os.environ.get(environment.PROJECT, "")
        return st.text_input("Project", value=usual, placeholder="project", key="at-bigquery")
    usual = os.environ.get("SNOWFLAKE_DATABASE", "")
    if not usual:  # Snowflake lists databases only from within one
        return st.text_input("Database", placeholder="DATABASE", key="at-snowflake")
    return _choice("Database", usual, kind, (), at, who)


def _choice(
    label: str, usual: str | None, kind: str, place: tuple[str, ...], at: Deployment, who: Person
) -> str | None:
    """Show the choice of a name, with type-ahead, and a search if the list is long."""
    key = "-".join([label, kind, *place])
    contains = st.session_state.get(f"search-{key}", "").strip()
    found = actions.list_names(at, who, kind, place, contains=contains)
    chosen = st.selectbox(
        label,
        found.names,
        index=found.names.index(usual) if usual in found.names else None,
        placeholder="Type to search" if found.names else "None that can be seen",
        key=f"choice-{key}-{contains}",
    )
    if found.is_cut or contains:
        st.text_input(
            f"Search {label.lower()}s by a part of the name",
            key=f"search-{key}",
            help=f"The list has the first {len(found.names):,} names." if found.is_cut else None,
        )
    return chosen
