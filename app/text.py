"""Text from outside as text: Streamlit reads Markdown in most of its elements."""

from __future__ import annotations

import re
import string

from contract.printable import one_line

_JOINER = "\u2060"  # no width: it parts what Streamlit would turn into an icon or a link
_ESCAPES = {ord(character): f"\\{character}" for character in string.punctuation}


def plain(text: object) -> str:
    r"""Return a text that shows as it is: no format, colour, icon, formula, image or link.

    >>> plain("*a* [b](c)")
    '\\*a\\* \\[b\\]\\(c\\)'
    """
    parted = re.sub(r"([:@]|(?i:www))", rf"\1{_JOINER}", one_line(str(text)))
    return parted.translate(_ESCAPES)


def code(text: object) -> str:
    """Return a text as inline code, for names and commands."""
    shown = one_line(str(text))
    fence = "`" * (max((len(run) for run in re.findall("`+", shown)), default=0) + 1)
    pad = " " if "`" in shown else ""
    return f"{fence}{pad}{shown}{pad}{fence}" if shown else ""


def sentence(message: str) -> str:
    r"""Return a message of this project: its names as code, with a capital and a full stop.

    >>> sentence("`a` is *b*")
    '`a` is \\*b\\*\\.'
    """
    text = message.rstrip()
    text = text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")
    return "  \n".join(_with_code(line) for line in text.splitlines())


def _with_code(line: str) -> str:
    parts = line.split("`")
    if len(parts) % 2 == 0:
        return plain(line)
    return "".join(code(part) if place % 2 else plain(part) for place, part in enumerate(parts))
