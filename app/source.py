"""Choose the table of a new market: an upload, a DuckDB file, Snowflake or BigQuery."""

from __future__ import annotations

import os
from typing import Any

import streamlit as st

from app import actions
from app.deployment import Deployment
from app.people import Person
from app.text import code
from contract.exceptions import ConfigError
from mmm.uploads import ENDINGS

Source = dict[str, Any] | None
KINDS = {
    "Upload a file": "file",
    "Snowflake": "snowflake",
    "BigQuery": "bigquery",
    "DuckDB file": "duckdb",
}
PLACES = {
    "snowflake": ("Schema", "DATABASE.SCHEMA"),
    "bigquery": ("Dataset", "project.dataset"),
    "duckdb": ("Path of the file", "warehouse.duckdb"),
}


def choose(at: Deployment, who: Person) -> Source:
    """Show the choice; return the source once it is complete."""
    titles = [t for t, kind in KINDS.items() if at.is_local or kind != "duckdb"]
    title = st.segmented_control("Where is the table?", titles, default=titles[0], key="kind")
    kind = KINDS[title or titles[0]]
    if kind == "file":
        return _upload(at, who)
    _connection(kind)
    label, example = PLACES[kind]
    place = st.text_input(label, value=_usual_place(kind), placeholder=example, key=f"at-{kind}")
    if not place:
        st.markdown(f"Give a {label.lower()} to see its tables.")
        return None
    how = st.segmented_control("Read", ["A table", "A query"], default="A table", key=f"how-{kind}")
    return _query(kind, place) if how == "A query" else _table(kind, place, at, who)


def _upload(at: Deployment, who: Person) -> Source:
    file = st.file_uploader(
        "CSV, Parquet or Excel", type=[one.rpartition(".")[2] for one in ENDINGS], key="upload"
    )
    if file is None:
        st.markdown("One row per day or week, with a date, a target and spends. At most 200 MB.")
        return None
    path = actions.upload_table(at, who, file.name, file.getvalue())
    return {"type": "file", "path": path}


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


def _usual_place(kind: str) -> str:
    if kind != "snowflake":
        return ""
    parts = (os.environ.get(f"SNOWFLAKE_{name}", "") for name in ("DATABASE", "SCHEMA"))
    return ".".join(part for part in parts if part)


def _table(kind: str, place: str, at: Deployment, who: Person) -> Source:
    names = actions.list_tables(at, who, kind, place)
    table = st.selectbox(
        "Table", names, index=None, placeholder="Type to search", key=f"table-{kind}-{place}"
    )
    if table is None:
        return None
    where = {"path": place} if kind == "duckdb" else {}
    return {"type": kind, **where, "table": table}


def _query(kind: str, place: str) -> Source:
    query = st.text_area("A single SELECT", key=f"query-{kind}", height=160)
    if not query.strip():
        return None
    where = {"path": place} if kind == "duckdb" else {}
    return {"type": kind, **where, "query": query}
