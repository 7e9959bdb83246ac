"""Budget: what another split would bring, by the stored draws of the current run."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app import actions, choose, pinned, reads
from app.deployment import Deployment
from app.frame import empty, errors, page
from app.people import Person
from app.text import code, plain
from contract.amounts import chance
from mmm.budget import MOST, WhatIf, what_if
from mmm.configs import StoredConfig
from mmm.edit_config import with_budget

TABLE = "Each channel's spend and what it brings"


def show() -> None:
    """Show the page."""
    with page("Budget", command="mmm budget MARKET --change CHANNEL=FACTOR") as (at, who):
        market = choose.market()
        if market is None:
            return
        run = market.current or market.held
        assert run is not None  # noqa: S101  `choose` offers no other market
        if market.current is None:
            st.warning("This market has no current run; the figures are those of the held one.")
        curves = reads.curves(reads.bucket_url(), run.run_id)
        until = f" until {plain(run.data_until)}" if run.data_until else ""
        st.markdown(
            "Each channel's spend as a share of today's. Figures are for the modelled "
            f"window{until}, with 90% intervals."
        )
        factors = _sliders(list(curves.spend), run.run_id)
        found = what_if(curves, factors)
        _result(found)
        _keep(found, market.market, market.revision, at, who)


def _sliders(names: list[str], run_id: str) -> dict[str, float]:
    columns = st.columns(2)
    return {
        name: columns[place % 2].slider(
            plain(name), 0, int(100 * MOST), 100, 5, format="%d%%", key=f"{run_id}-{name}"
        )
        / 100
        for place, name in enumerate(names)
    }


def _result(found: WhatIf) -> None:
    change = found.change
    if all(one.factor == 1 for one in found.channels):
        empty("This is today's budget.", "Move a slider to see what another one would bring.")
        st.dataframe(_table(found), hide_index=True, column_config=_formats(found), alt=TABLE)
        return
    with st.container(horizontal=True):
        st.metric("Spend", f"{found.spend_change:+,.0f}")
        st.metric("Target", f"{change.median:+,.0f}")
        st.metric("Chance of a gain", chance(found.chance))
        if found.chance_to_pay is not None:
            st.metric("Chance that it brings more than it costs", chance(found.chance_to_pay))
    st.markdown(
        f"The target would change by {change.median:+,.0f}; 90% of the draws are between "
        f"{change.low:+,.0f} and {change.high:+,.0f}."
    )
    st.dataframe(_table(found), hide_index=True, column_config=_formats(found), alt=TABLE)


def _formats(found: WhatIf) -> dict[str, Any]:
    numbers = _table(found).columns[1:]
    return {str(name): st.column_config.NumberColumn(format="localized") for name in numbers}


def _table(found: WhatIf) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Channel": one.channel,
            "Spend now": round(one.spend_now),
            "Spend then": round(one.spend_then),
            "Brings now": round(one.contribution_now.median),
            "Brings then": round(one.contribution_then.median),
            "at least": round(one.contribution_then.low),
            "at most": round(one.contribution_then.high),
        }
        for one in found.channels
    )


def _keep(found: WhatIf, market: str, revision: str, at: Deployment, who: Person) -> None:
    st.subheader("Keep it")
    st.download_button(
        "Download as CSV",
        _table(found).to_csv(index=False),
        file_name=f"budget-{market}.csv",
        mime="text/csv",
        on_click="ignore",
    )
    stored = pinned.config(market, revision)
    if stored is None:
        return
    total = sum(one.spend_then for one in found.channels)
    st.markdown(
        f"Or let each run find the best split of this total, {total:,.0f}: it becomes a scenario "
        f"of the config {code(stored.name)}, and its result stands in the report."
    )
    if st.button("Add the total to the config"):
        _add(stored, total, at, who)


def _add(stored: StoredConfig, total: float, at: Deployment, who: Person) -> None:
    with errors():
        text = with_budget(stored.text, round(total, 2))
        actions.save_config(at, who, stored.name, text, seen=stored.generation)
        pinned.forget(stored.name)
        st.success(f"Saved as a new version of {code(stored.name)}. The next run uses it.")


if __name__ == "__main__":
    show()
