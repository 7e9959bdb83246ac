"""Review what a table's columns mean: questions, and a table of roles that can be edited."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from app.text import code, plain
from mmm.drafts import Draft
from mmm.propose import Draft as Proposed
from mmm.propose.questions import Question
from mmm.propose.table import Table

ROLES = {
    "date": "date",
    "target": "target",
    "spend": "spend of a channel",
    "exposure": "exposure of a channel",
    "organic": "organic media",
    "context": "context, e.g. a price",
    "factor": "factor, e.g. a holiday",
    "country": "country",
    "unused": "not used",
}
Change = Callable[..., None]


def sample(table: Table) -> None:
    """Show the first 20 rows."""
    name = table.source["path"].rpartition("/")[2] if table.is_file else table.description
    st.markdown(f"The first rows of {code(name.strip('`'))}:")
    rows = table.frame.head(20)
    shown = rows.astype(object).where(rows.notna(), None).map(_cell)
    st.dataframe(shown, hide_index=True, height=250, alt="The first 20 rows of the table")


def _cell(value: Any) -> Any:
    return value if isinstance(value, int | float) or value is None else str(value)


def questions(made: Proposed, draft: Draft, change: Change) -> None:
    """Ask what the rules are unsure of; an answer is stored at once."""
    for question in made.questions:
        _ask(question, draft, change)


def _ask(question: Question, draft: Draft, change: Change) -> None:
    labels = {option.value: f"{option.value}: {option.label}" for option in question.options}
    values = list(labels)
    now = draft.answers.get(question.id) or question.default
    chosen = st.selectbox(
        plain(question.text),
        values,
        index=values.index(now) if now in values else None,
        format_func=labels.__getitem__,
        placeholder="Please answer",
        help="Values: " + ", ".join(plain(example.value) for example in question.examples)
        if question.examples
        else None,
        key=f"question-{question.id}",
    )
    if chosen is not None and chosen != now:
        change(answers={**draft.answers, question.id: chosen})


def roles(made: Proposed, table: Table, draft: Draft, change: Change) -> None:
    """Show each column with its role and the reason; a new role is stored at once."""
    before = {guess.column: guess.role or "unused" for guess in made.guesses}
    frame = pd.DataFrame(
        {
            "Column": list(before),
            "Role": [ROLES[role] for role in before.values()],
            "Example": [_example(table, column) for column in before],
            "Why": [
                guess.reason.removeprefix("CHECK: ").replace("`", "") for guess in made.guesses
            ],
        }
    )
    st.markdown("What each column is. Change a role where it is wrong.")
    edited = st.data_editor(
        frame,
        hide_index=True,
        disabled=["Column", "Example", "Why"],
        height=min(38 + 35 * len(frame), 500),
        column_config={
            "Role": st.column_config.SelectboxColumn(options=list(ROLES.values()), required=True),
            "Why": st.column_config.TextColumn(width="large"),
        },
        key=f"roles-{hash(tuple(before.items()))}",
        alt="Each column with its role; the role can be edited",
    )
    names = {title: role for role, title in ROLES.items()}
    after = {
        column: names[title] for column, title in zip(edited["Column"], edited["Role"], strict=True)
    }
    new = {column: role for column, role in after.items() if role != before[column]}
    if new:
        change(roles=_single({**draft.roles, **new}, new))


def _single(roles: dict[str, str], new: dict[str, str]) -> dict[str, str]:
    """Return the roles with one date and one target: the new ones replace the old ones."""
    once = {role for role in new.values() if role in ("date", "target", "country")}
    return {c: role for c, role in roles.items() if role not in once or c in new}


def _example(table: Table, column: str) -> str:
    examples = table.examples(column, 1)
    return examples[0].value if examples else ""
