"""Experiments: the lift tests of a market, whether the model agrees, and new ones."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from app import actions, choose, pinned, reads
from app.deployment import Deployment
from app.frame import empty, errors, page
from app.people import Person
from app.text import code, plain
from contract.calibration import Calibration
from contract.printable import short
from mmm.configs import StoredConfig
from mmm.edit_config import with_lift_tests
from mmm.lift_tests import Stated, lift_tests
from mmm.runs import Run


def show() -> None:
    """Show the page."""
    with page("Experiments", command="mmm import-lift-tests FILE, mmm save CONFIG") as (at, who):
        market = choose.market()
        if market is None:
            return
        run = market.current or market.held
        assert run is not None  # noqa: S101  `choose` offers no other market
        with errors():
            _agreement(run)
        st.subheader("In the config")
        stored = pinned.config(market.market, market.revision)
        if stored is None or stored.config is None:
            return
        _tests(stored.config.calibration)
        st.subheader("Add a test")
        names = [c.name for c in stored.config.channels] + list(stored.config.organic)
        how = st.segmented_control("From", ["A form", "A file"], default="A form", key="from")
        if how == "A file":
            _file(stored, names, at, who)
        else:
            _form(stored, names, at, who)


def _agreement(run: Run) -> None:
    st.subheader("Does the model agree?")
    table = reads.lift_tests(reads.bucket_url(), run.run_id)
    if table.empty:
        empty("The current run knows no lift test.", "Add one below; the next run uses it.")
    else:
        low, high = table["before_low"], table["before_high"]
        agrees = table["lift"].between(low, high).map({True: "yes", False: "no"})
        shown = pd.DataFrame(
            {
                "Channel": table["channel"],
                "From": table["start"],
                "To": table["end"],
                "Measured lift": table["lift"].round(0),
                "Model without tests": [
                    f"{a:,.0f} to {b:,.0f}" for a, b in zip(low, high, strict=True)
                ],
                "Agrees": agrees,
                "Model with all tests": table["after"].round(0),
            }
        )
        st.dataframe(shown, hide_index=True, alt="Each lift test beside what the model expects")
    posterior = reads.metrics(reads.bucket_url(), run.run_id).get("posterior") or {}
    useful = [one for one in posterior.get("next_tests", []) if one["narrowing"] >= 0.01][:3]
    if useful:
        said = ", ".join(
            f"{plain(one['channel'])} ({one['narrowing']:.0%} narrower)" for one in useful
        )
        st.markdown(f"A test would narrow the intervals most for {said}.")


def _tests(tests: list[Calibration]) -> None:
    if not tests:
        empty("The config has no lift test.", "Add the first one below.")
        return
    rows = [test.model_dump(mode="json", exclude={"confidence"}) for test in tests]
    st.dataframe(pd.DataFrame(rows), hide_index=True, alt="The lift tests of the config")


def _form(stored: StoredConfig, names: list[str], at: Deployment, who: Person) -> None:
    today = date.today()
    with st.form("test", border=True):
        channel = st.multiselect("Channels that were tested", names, key="channels")
        left, right = st.columns(2)
        start = left.date_input("First day", today - timedelta(days=28), key="start")
        end = right.date_input("Last day", today, key="end")
        lift = left.number_input("Lift of the target in total", value=0.0, key="lift")
        spend = right.number_input("Spend that the test changed", min_value=0.0, key="spend")
        error = left.number_input(
            "Standard error of the lift", min_value=0.0, value=None, key="error"
        )
        scope = right.selectbox(
            "The lift is", ["immediate", "total"], key="scope",
            format_func={"immediate": "immediate: without carry-over",
                         "total": "total: with carry-over"}.__getitem__,
        )  # fmt: skip
        sent = st.form_submit_button("Add the test to the config", type="primary")
    if sent:
        given = {"start": start, "end": end, "lift": lift, "spend": spend, "scope": scope}
        test: dict[str, Any] = {"channel": "+".join(channel), **given}
        if error:
            test["standard_error"] = error
        with errors():
            _add(stored, [test], at, who)


def _file(stored: StoredConfig, names: list[str], at: Deployment, who: Person) -> None:
    file = st.file_uploader(
        "A CSV, a result of GeoLift or of Meridian GeoX", type=["csv", "json"], key="tests"
    )
    channel = st.selectbox(
        "Channel that was tested", names, index=None, placeholder="If the file does not say it"
    )
    if file is None:
        return
    stated = Stated(channels={None: channel} if channel else {})
    tests = lift_tests(file.getvalue(), short(file.name), stated)
    _tests(tests)
    if st.button("Add them to the config", type="primary"):
        rows = [test.model_dump(mode="json", exclude_unset=True) for test in tests]
        with errors():
            _add(stored, rows, at, who)


def _add(stored: StoredConfig, tests: list[dict[str, Any]], at: Deployment, who: Person) -> None:
    text = with_lift_tests(stored.text, tests)
    actions.save_config(at, who, stored.name, text, seen=stored.generation)
    pinned.forget(stored.name)
    st.success(f"Saved as a new version of {code(stored.name)}. The next run uses it.")


if __name__ == "__main__":
    show()
