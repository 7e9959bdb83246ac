"""Markets: each market's current run, its verdict, what waits, and when it runs next."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from app import actions, reads
from app.deployment import Deployment
from app.frame import empty, errors, page
from app.people import Person
from app.text import plain, sentence
from mmm.overview import Row, overview

SHOW: dict[str, Callable[[Row], bool]] = {
    "All": lambda row: True,
    "To decide": lambda row: row.held is not None,
    "At work": lambda row: bool(row.at_work),
    "Paused": lambda row: bool(row.paused),
    "Not PASS": lambda row: row.verdict not in (None, "PASS"),
}


def show() -> None:
    """Show the page."""
    with page("Markets", command="mmm status, mmm publish CONFIG, mmm pause MARKET") as (at, who):
        coming = reads.next_runs()
        rows = overview(reads.markets(), reads.configs(), coming)
        if not rows:
            empty("No market yet.", "Open New market to train the first one from a table.")
            return
        _show_rows(rows)
        for problem in coming.problems:
            st.warning(sentence(problem))
        st.subheader("One market")
        _show_market(rows, at, who)


def _show_rows(rows: list[Row]) -> None:
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    text = left.text_input("Filter by name", key="filter", placeholder="e.g. DE")
    kind = right.segmented_control("Show", list(SHOW), default="All", key="show") or "All"
    chosen = [row for row in rows if text.lower() in row.market.lower() and SHOW[kind](row)]
    if not chosen:
        empty("No market fits the filter.", "Change the filter to see the others.")
        return
    table = pd.DataFrame(
        {
            "Market": [row.market for row in chosen],
            "Verdict": [row.verdict or "" for row in chosen],
            "Waits": [row.waits for row in chosen],
            "Next run (UTC)": [row.next_run for row in chosen],
            "Data until": [row.data_until or "" for row in chosen],
            "Trained (days ago)": [row.age_days for row in chosen],
            "Why": [row.reason.replace("`", "") for row in chosen],
            "Revision": [row.revision for row in chosen],
        }
    )
    st.dataframe(
        table,
        hide_index=True,
        height=min(38 + 35 * len(table), 420),
        column_config={
            "Trained (days ago)": st.column_config.NumberColumn(format="%.1f"),
            "Why": st.column_config.TextColumn(width="large"),
        },
        alt="Every market with its verdict, the age of its data and what waits",
    )


def _show_market(rows: list[Row], at: Deployment, who: Person) -> None:
    names = {row.key: row for row in rows}
    key = st.selectbox("Market", list(names), key="row")
    row = names[key]
    if row.verdict:
        st.markdown(f"**Verdict {plain(row.verdict)}.** {sentence(row.reason)}")
    else:
        st.markdown("This market has no result yet.")
    st.markdown(f"Next run (UTC): {plain(row.next_run)}.")
    with st.container(horizontal=True):
        if row.current and st.button("Open the current run"):
            st.switch_page("views/run.py", query_params={"run": row.current})
        if row.held and st.button("Open the held run"):
            st.switch_page("views/run.py", query_params={"run": row.held})
        for run_id in row.at_work:
            if st.button(f"Open the run at work ({run_id[-8:]})"):
                st.switch_page("views/run.py", query_params={"run": run_id})
    _pause(row, at, who)
    if not row.configs:
        st.markdown(
            "No config of this market is stored in the bucket, so it cannot be started here."
        )
        return
    name = st.selectbox("Config", row.configs, key=f"config-{row.key}")
    again = st.checkbox("Train again even if config and data are unchanged")
    if st.button("Start a run", type="primary"):
        with errors():
            actions.start_run(at, who, name, key=actions.new_key(), force=again)
            reads.forget()
            st.success("The request is published. The run appears under Waits within seconds.")


def _pause(row: Row, at: Deployment, who: Person) -> None:
    if row.paused:
        st.warning(f"Paused: {plain(row.paused)}. No run of this market begins.")
        if st.button("Resume the market"):
            with errors():
                actions.resume_market(at, who, row.market)
                reads.forget()
                st.rerun()
        return
    with st.expander("Pause the market"):
        st.markdown("No run begins until somebody resumes it. A run at work finishes.")
        reason = st.text_input("Why", key=f"pause-{row.key}")
        if st.button("Pause it"):
            with errors():
                actions.pause_market(at, who, row.market, reason=reason)
                reads.forget()
                st.rerun()


if __name__ == "__main__":
    show()
