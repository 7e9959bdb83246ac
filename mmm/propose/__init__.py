"""`mmm init`: propose a config for a table, query or file. A person reviews the proposal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contract.documents import parse_yaml
from contract.exceptions import ConfigError, DataError, MMMError
from contract.suggest import did_you_mean
from job.gate.wording import name_list
from job.sources.workbook import is_workbook
from mmm.propose.decide import decide
from mmm.propose.long_table import LongTable, find_long_table, pivot_query
from mmm.propose.proposal import write_proposal
from mmm.propose.questions import Proposal, Question, check_answers, merge_patch
from mmm.propose.rules import Guess, KnownColumns
from mmm.propose.table import Table, read_table

__all__ = [
    "Draft",
    "KnownColumns",
    "Proposal",
    "Question",
    "check_answers",
    "draft",
    "init_config",
    "propose",
    "read_table",
]


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A config as YAML, or the problem that prevents it, and the questions.

    Attributes:
        text: the config; None if it is not complete.
        problem: why there is no config.
        questions: what the rules are unsure of.
        guesses: the role of each column, with its reason.
    """

    text: str | None
    problem: MMMError | None
    questions: list[Question]
    guesses: Sequence[Guess] = ()

    @property
    def config(self) -> dict[str, Any] | None:
        """The config as a document."""
        return None if self.text is None else dict(parse_yaml(self.text, what="the proposal"))


def init_config(
    source: dict[str, Any],
    *,
    market: str,
    revision: str = "r1",
    known: KnownColumns | None = None,
    answers: Mapping[str, str] | None = None,
    env: dict[str, str] | None = None,
) -> str:
    """Return a commented YAML config for a source.

    Args:
        source: The source, as in a config.
        market: The market's code.
        revision: The name of this version of the model.
        known: Columns whose role the user has set.
        answers: Answers to questions, by their ids.
        env: The variables that describe connections; the process's environment if None.

    Raises:
        ConfigError: The source or an answer is not valid, or its table has other markets but not
            this one.
        DataError: No date, target or channel column is found, or the table is in long format.
    """
    answers = answers or {}
    table = read_table(source, sheet=answers.get("sheet"), env=env)
    made = draft(table, market=market, revision=revision, known=known, answers=answers)
    check_answers(answers, made.questions)
    if made.problem is not None:
        raise made.problem
    return made.text or ""


def draft(
    table: Table,
    *,
    market: str,
    revision: str = "r1",
    known: KnownColumns | None = None,
    answers: Mapping[str, str] | None = None,
) -> Draft:
    """Propose a config for a table, and say what is unsure.

    Raises:
        DataError: A column of `known` does not exist, or the table is in long format.
    """
    known = known or KnownColumns()
    names = [column.name for column in table.profiles]
    for name in (known.date, known.target, *known.spends):
        if name is not None and name not in names:
            raise DataError(
                f"{table.description} has no column `{name}`.{did_you_mean(name, names)}"
            )
    if not known.spends:
        _refuse_long(table, known)
    decided = decide(table, known, market, answers or {})
    text: str | None = None
    problem: MMMError | None = None
    try:
        text = write_proposal(
            decided.guesses,
            decided.profiles,
            table.frame,
            decided.source,
            market=decided.market,
            revision=revision,
            source_name=table.description,
            source_notes=table.notes,
            zone=decided.zone,
        )
    except (ConfigError, DataError) as error:
        problem = error
    return Draft(text=text, problem=problem, questions=decided.questions, guesses=decided.guesses)


def propose(
    table: Table, *, market: str, revision: str, known: KnownColumns, answers: Mapping[str, str]
) -> Proposal:
    """Return the proposal for programs: each option has the change of the config that it makes."""
    made = draft(table, market=market, revision=revision, known=known, answers=answers)
    check_answers(answers, made.questions)
    questions = []
    for question in made.questions:
        options = []
        for option in question.options:
            change = None
            if question.id == "sheet":
                change = {"source": {"sheet": option.value}}
            else:
                other = draft(
                    table,
                    market=market,
                    revision=revision,
                    known=known,
                    answers={**answers, question.id: option.value},
                ).config
                change = None if other is None else merge_patch(made.config or {}, other)
            options.append(option.model_copy(update={"change": change}))
        questions.append(question.model_copy(update={"options": options}))
    return Proposal(
        config=made.config,
        yaml=made.text,
        problem=None if made.problem is None else made.problem.message,
        questions=questions,
    )


def _refuse_long(table: Table, known: KnownColumns) -> None:
    long_table = find_long_table(table.profiles, table.frame, known.date)
    if long_table is None:
        return
    query = pivot_query(table.frame, long_table, table.relation)
    sql = query.sql(dialect=table.dialect, pretty=True)
    remedy = "Run `mmm init` with --query and this query:"
    if table.is_file:
        path = str(table.source["path"])
        first = f"Save the sheet as `{path}.csv`. Then convert" if is_workbook(path) else "Convert"
        remedy = (
            f"{first} it with this query, e.g. with DuckDB: COPY (…) TO 'wide.parquet'. Then run "
            "`mmm init wide.parquet`. The query:"
        )
    raise DataError(
        f"{table.description} is in long format, with one row per date and "
        f"`{long_table.names.name}`; a model needs one column per channel. {remedy}\n\n{sql}"
        + _repeated_note(long_table)
    )


def _repeated_note(table: LongTable) -> str:
    notes = []
    if table.repeated:
        listed = name_list(column.name for column in table.repeated)
        notes.append(
            f"The query takes MAX of {listed}, because all rows of a date have the same value."
        )
    if table.groups:
        groups = name_list(column.name for column in table.groups)
        if table.repeated_in_groups:
            listed = name_list(column.name for column in table.repeated_in_groups)
            notes.append(
                f"It takes MAX of {listed} within each {groups} and then the SUM, because all "
                f"rows of a date and {groups} have the same value."
            )
        if table.national:
            listed = name_list(column.name for column in table.national)
            notes.append(
                f"It takes MAX of {listed} over {groups}, because all of them have the same value."
            )
    return "".join(f"\n\n{note}" for note in notes)
