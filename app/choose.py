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
    asked = [st.query_params.get(name, "") for name in ("market", "revision")]
    places = [(one.market, one.revision) for one in known.values()]
    fits = [place for place in places if place[0] == asked[0] and asked[1] in (place[1], "")]
    index = places.index(fits[0]) if fits else 0
    chosen = known[st.selectbox("Market", list(known), index=index)]
    st.query_params["market"], st.query_params["revision"] = chosen.market, chosen.revision
    return chosen
