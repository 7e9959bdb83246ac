"""What every page has: a title, the command that does the same, who is signed in, and errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from app import sign_in
from app.deployment import Deployment, here
from app.groups import is_member
from app.people import NotAllowedError, Person
from app.settings import Settings
from app.text import code, plain, sentence
from contract.exceptions import ConfigError, MMMError, TransientError


def person() -> Person:
    """Return who is signed in; a header is verified once per connection.

    Raises:
        NotAllowedError: the request has no valid sign-in, or the person has no role.
    """
    settings, header = Settings.current(), st.context.headers.get(sign_in.HEADER)
    known = st.session_state.get("signed-in")
    if known is None or known[0] != (settings, header):
        found = sign_in.sign_in(settings, header, verify=sign_in.verify_header, in_group=is_member)
        st.session_state["signed-in"] = known = ((settings, header), found)
    signed_in: Person = known[1]
    return signed_in


@contextmanager
def page(title: str, *, command: str) -> Iterator[tuple[Deployment, Person]]:
    """Show a page's title, its command and its errors; give it the deployment and the person."""
    st.title(title)
    found: tuple[Deployment, Person] | None = None
    with errors():
        found = here(), person()
    if found is None:
        st.stop()
    st.markdown(f"The same on the command line: {code(command)}")
    with errors():
        yield found


@contextmanager
def errors() -> Iterator[None]:
    """Show this project's errors as messages that say what to do."""
    try:
        yield
    except NotAllowedError as error:
        st.error(sentence(error.message), icon=":material/lock:")
    except TransientError as error:
        st.warning(f"{sentence(error.message)}  \nReload the page to try again.")
    except MMMError as error:
        problems = error.problems if isinstance(error, ConfigError) else [error.message]
        for problem in problems:
            st.error(sentence(problem))


def empty(what: str, todo: str) -> None:
    """Say that there is nothing to show, and what to do."""
    st.info(f"**{plain(what)}** {plain(todo)}")
