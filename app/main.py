"""The script that Streamlit runs: the pages, in the order of the work."""

from __future__ import annotations

import streamlit as st

from app.frame import errors, person
from app.text import plain

PAGES = (
    ("views/markets.py", "Markets", "markets"),
    ("views/run.py", "Run", "run"),
    ("views/new_market.py", "New market", "new-market"),
    ("views/compare.py", "Compare and promote", "compare"),
    ("views/budget.py", "Budget", "budget"),
    ("views/experiments.py", "Experiments", "experiments"),
)


# Streamlit would show the scripts of a folder `pages` without this one.
def main() -> None:
    """Show the page that is chosen, and who is signed in."""
    st.set_page_config(page_title="MMM Trainer", page_icon=":material/monitoring:", layout="wide")
    pages = [
        st.Page(file, title=title, url_path=path, default=file == PAGES[0][0])
        for file, title, path in PAGES
    ]
    chosen = st.navigation(pages)
    with st.sidebar, errors():
        who = person()
        st.markdown(f"Signed in as {plain(who.name)}, {who.role.title}")
    chosen.run()


main()
