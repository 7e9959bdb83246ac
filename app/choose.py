"""Choose a market that has a current run."""

from __future__ import annotations

import streamlit as st

from app import reads
from app.frame import empty
from mmm.runs import MarketState


def market() -> MarketState | None:
    """Show the choice of a market; None, with a hint, if there is no market."""
    known = {
        f"{one.market}, revision {one.revision}": one
        for one in reads.markets()
        if one.current or one.held
    }
    if not known:
        empty("No market has a result yet.", "Train one on the page New market.")
        return None
    asked = st.query_params.get("market", "")
    index = next((n for n, one in enumerate(known.values()) if one.market == asked), 0)
    chosen = known[st.selectbox("Market", list(known), index=index)]
    st.query_params["market"] = chosen.market
    return chosen
