"""`mmm import-config FILE`: a config from the flat file of another job that trains with Robyn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from contract.exceptions import ConfigError
from mmm.commands.common import report_errors
from mmm.commands.proposals import (
    Answers,
    AsProposal,
    NewConfig,
    Yes,
    parse_answers,
    write_new,
)

if TYPE_CHECKING:
    from mmm.propose import Draft


def command(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A job_config.json, local or gs://.")],
    answer: Answers = [],  # noqa: B006  typer reads the default, nothing changes it
    yes: Yes = False,
    as_json: AsProposal = False,
    output: NewConfig = None,
) -> None:
    """Import the config of another Robyn job.

    Reads a flat job_config.json with Robyn's names (dep_var, paid_media_spends, iterations, …) and
    prints a config as YAML. Comments say what has no counterpart. What the file cannot say is asked
    at a terminal; elsewhere, --answer answers it, and defaults are taken for the rest.

    Examples: mmm import-config job_config.json --output de.yaml; mmm import-config
    gs://BUCKET/training-configs/latest/job_config.json --answer country_column=none
    """
    from contract.documents import parse_document
    from job.attempt.request import read_config_text
    from mmm.flat_config import import_config
    from mmm.propose import Proposal
    from mmm.propose.ask import answer_questions, is_terminal

    with report_errors(as_json=as_json):
        if output is not None and output.exists():
            raise ConfigError(f"`--output {output}` exists; choose another path or remove the file")
        given = parse_document(read_config_text(file), what=file)
        answers, name = parse_answers(answer), Path(file).name

        def again(answers: dict[str, str]) -> Draft:
            return import_config(given, origin=name, answers=answers)

        made = again(answers)
        if as_json:
            problem = made.problem.message if made.problem else None
            proposal = Proposal(
                config=made.config, yaml=made.text, problem=problem, questions=made.questions
            )
            write_new(proposal.model_dump_json(indent=2) + "\n", output)
            return
        if not yes and is_terminal():
            made = answer_questions(made, answers, again)
        if made.problem is not None:
            raise made.problem
        write_new(made.text or "", output)
