"""Make text from outside safe to print: it cannot control a terminal or hide in a line."""

from __future__ import annotations


def escape_invisible(text: str) -> str:
    r"""Return the text with invisible characters escaped, except line feeds and tabs.

    These include terminal escape sequences, marks that reverse the direction of reading, and line
    separators that editors know and `splitlines` does not.

    >>> escape_invisible("red \x1b[31m")
    'red \\x1b[31m'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else _escaped(c) for c in text)


def one_line(text: str) -> str:
    r"""Return the text on one line, with invisible characters escaped.

    >>> one_line("a\nb")
    'a\\nb'
    """
    return (
        text if text.isprintable() else "".join(c if c.isprintable() else _escaped(c) for c in text)
    )


def short(text: str) -> str:
    """Return at most 80 characters of the text, on one line, with invisible ones escaped."""
    return one_line(f"{text[:77]}…" if len(text) > 80 else text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
