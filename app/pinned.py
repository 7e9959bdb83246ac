"""The config of a market as its reader has seen it: a save replaces that version and no other."""

from __future__ import annotations

import streamlit as st

from app import reads
from app.deployment import here
from mmm import configs
from mmm.configs import StoredConfig


def config(market: str, revision: str) -> StoredConfig | None:
    """Show the choice of a market's config; return the version that is shown since then."""
    names = [
        one.name
        for one in reads.configs()
        if one.config and (one.config.market, one.config.revision) == (market, revision)
    ]
    if not names:
        st.markdown("The bucket has no config of this market, so nothing can be added to it.")
        return None
    name = names[0] if len(names) == 1 else st.selectbox("Config", names)
    seen = st.session_state.setdefault("configs", {})
    if name not in seen:
        seen[name] = configs.read(here().store, name)
    found: StoredConfig | None = seen[name]
    return found


def forget(name: str) -> None:
    """Show the newest version of a config from now on."""
    st.session_state.get("configs", {}).pop(name, None)
    reads.forget()
