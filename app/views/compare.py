"""Compare and promote: two runs side by side, what their difference is made of, and a decision."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app import actions, choose, reads
from app.deployment import Deployment
from app.frame import empty, errors, page
from app.people import Person
from app.text import plain, sentence
from contract.run import State
from mmm.compare.document import Compared
from mmm.compare.page import sentences
from mmm.runs import Run

FINISHED = (State.SUCCEEDED, State.HELD)
DONE = {"promote": "promoted", "hold": "held", "rollback": "rolled back"}


def show() -> None:
    """Show the page."""
    command = "mmm compare A B, mmm promote RUN, mmm hold RUN"
    with page("Compare and promote", command=command) as (at, who):
        market = choose.market()
        if market is None:
            return
        found = reads.finished(market.market, market.revision)
        runs = {run.run_id: run for run in found if run.state in FINISHED}
        for one in (market.held, market.current):
            if one is not None:
                runs.setdefault(one.run_id, one)
        _runs(runs, market.current, market.held, at, who)
        _ledger(market.revision, market.market)


def _runs(
    runs: dict[str, Run], current: Run | None, held: Run | None, at: Deployment, who: Person
) -> None:
    ids = list(runs)
    newest = held.run_id if held else ids[0]
    before = current.run_id if current and current.run_id != newest else ids[-1]
    left, right = st.columns(2)
    one = left.selectbox(
        "Before", ids, index=ids.index(before), format_func=lambda i: _label(runs[i])
    )
    other = right.selectbox(
        "After", ids, index=ids.index(newest), format_func=lambda i: _label(runs[i])
    )
    if one == other:
        empty("Both are the same run.", "Choose two runs to compare them.")
    else:
        with errors():
            _comparison(one, other)
    _decide(runs[other], at, who)


def _label(run: Run) -> str:
    current = ", current" if run.is_current else ""
    return f"{run.created_at:%Y-%m-%d %H:%M} · {run.state}{current} · {run.run_id[-8:]}"


def _comparison(before: str, after: str) -> None:
    split = st.session_state.get(f"split-{before}-{after}", False)
    compared = reads.compared(reads.bucket_url(), before, after, may_draw=split)
    for said in sentences(compared):
        st.markdown(f"- {sentence(said)}")
    st.markdown(f"{plain(compared.measure)} of each channel, by the {plain(compared.figures)}:")
    st.dataframe(_table(compared), hide_index=True, alt="Each channel in both runs, with the parts")
    if compared.shared:
        st.markdown(f"The causes share one part, because {plain(compared.shared)}.")
        if not split and st.button("Split the change by its causes"):
            st.session_state[f"split-{before}-{after}"] = True
            st.rerun()
    st.subheader("What differs")
    if not compared.causes:
        st.markdown("The runs have the same data, config, version and search.")
    for cause, what in compared.causes.items():
        with st.expander(f"{plain(cause[:1].upper() + cause[1:])} ({len(what)})"):
            for one in what:
                st.markdown(f"- {sentence(one)}")


def _table(compared: Compared) -> pd.DataFrame:
    parts = list(dict.fromkeys(part for one in compared.channels for part in one.parts))
    return pd.DataFrame(
        {
            "Channel": one.name or "all paid channels",
            "Before": round(one.before, 3),
            "After": round(one.after, 3),
            "Change": round(one.change, 3),
            **{f"from {part}": _rounded(one.parts.get(part)) for part in parts},
        }
        for one in compared.channels
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _decide(run: Run, at: Deployment, who: Person) -> None:
    st.subheader("Decide")
    for reason in run.held:
        st.markdown(f"- Held: {sentence(reason)}")
    st.markdown(f"About the run **{plain(_label(run))}**. Signed in as {plain(who.name)}.")
    reason = st.text_input("Why", placeholder="for those who read the ledger later", key="reason")
    with st.container(horizontal=True):
        promote = st.button("Promote: make it the current run", type="primary")
        hold = st.button("Hold: keep it from being current")
    if promote or hold:
        with errors():
            act = actions.promote_run if promote else actions.hold_run
            act(at, who, run.run_id, reason=reason)
            reads.forget()
            st.session_state["decided"] = "promoted" if promote else "held"
            st.rerun()
    if done := st.session_state.pop("decided", None):
        st.success(f"The run is {done}.")


def _ledger(revision: str, market: str) -> None:
    st.subheader("Ledger")
    decisions = reads.ledger(revision, market)
    if not decisions:
        empty("No decision yet.", "The first run that succeeds becomes current by itself.")
        return
    table = pd.DataFrame(
        {
            "When (UTC)": [f"{one.at:%Y-%m-%d %H:%M}" for one in decisions],
            "Run": [one.run_id for one in decisions],
            "Decision": [DONE.get(one.action.value, one.action.value) for one in decisions],
            "By": [one.by for one in decisions],
            "Why": [one.reason for one in decisions],
        }
    )
    st.dataframe(table, hide_index=True, alt="Every decision about this market, newest first")


if __name__ == "__main__":
    show()
