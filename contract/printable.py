"""Text from outside, made safe to look at: nothing in it acts on a terminal or hides in a line."""

from __future__ import annotations


def visible(text: str) -> str:
    r"""The text with everything that shows nothing as an escape; lines and tabs stay.

    Escape sequences of terminals, marks that reverse the direction of reading, separators of lines
    that editors know and `splitlines` does not.

    >>> visible("red \x1b[31m")
    'red \\x1b[31m'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else _escaped(c) for c in text)


def one_line(text: str) -> str:
    r"""The text made visible, on one line.

    >>> one_line("a\nb")
    'a\\nb'
    """
    return (
        text if text.isprintable() else "".join(c if c.isprintable() else _escaped(c) for c in text)
    )


def short(text: str) -> str:
    """At most 80 characters of the text, visible and on one line."""
    return one_line(f"{text[:77]}…" if len(text) > 80 else text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
