"""Ask the questions of a proposal at a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable

from contract.printable import one_line
from mmm.propose import Draft
from mmm.propose.questions import Question


def is_terminal() -> bool:
    """Return whether a person can be asked: no stream is a pipe or a file."""
    return all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))


def answer_questions(
    made: Draft, answers: dict[str, str], again: Callable[[dict[str, str]], Draft]
) -> Draft:
    """Ask each question that has no answer; return the draft with all answers.

    An answer may raise another question or remove one. Ctrl-D leaves all others at their defaults.

    Args:
        made: The draft without the answers.
        answers: The answers that are already given.
        again: Returns the draft with answers.
    """
    answers = dict(answers)
    asked = 0
    while question := next((q for q in made.questions if q.id not in answers), None):
        asked += 1
        answer = _ask(question, asked, len(made.questions))
        if answer is None:
            break
        answers[question.id] = answer
        made = again(answers)
    if asked:
        print(file=sys.stderr)
    return made


def _ask(question: Question, number: int, total: int) -> str | None:
    """Return the answer to one question; None at the end of the input."""
    print(f"\n[{number}/{max(number, total)}] {one_line(question.text)}", file=sys.stderr)
    for example in question.examples:
        row = "" if example.row is None else f"row {example.row:,}: "
        print(f"      {row}{one_line(example.value)}", file=sys.stderr)
    values = [option.value for option in question.options]
    for place, option in enumerate(question.options, start=1):
        mark = "  (Enter)" if option.value == question.default else ""
        line = f"  {place:>2}  {option.value}: {option.label}{mark}"
        print(one_line(line), file=sys.stderr)
    while True:
        print("> ", end="", file=sys.stderr, flush=True)
        try:
            text = input().strip()
        except EOFError:
            return None
        if not text and question.default is not None:
            return question.default
        if text.isdecimal() and 1 <= int(text) <= len(values):
            return values[int(text) - 1]
        if text in values:
            return text
        print(f"Type a number from 1 to {len(values)}.", file=sys.stderr)
