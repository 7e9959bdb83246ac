"""Render the HTML templates of a package, with sentences as HTML."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

_CODE = re.compile(r"`([^`\s](?:[^`]*[^`\s])?)`")


def render_template(package: str, name: str, **values: Any) -> str:
    """Return a template of a package with values in it, escaped unless they are Markup."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["prose"] = prose
    return environment.from_string(resource(package, name)).render(
        style=Markup(resource("contract.pages", "style.css")),  # noqa: S704 # nosec B704
        **values,
    )


def resource(package: str, name: str) -> str:
    """Return the text of a file of a package."""
    return files(package).joinpath(name).read_text(encoding="utf-8")


def prose(text: str) -> Markup:
    """Return a sentence as HTML: it is escaped, and what it has in `backticks` becomes code.

    >>> prose("raise `training.trials`, not <b>")
    Markup('raise <code>training.trials</code>, not &lt;b&gt;')
    """
    # The text was escaped before the tags are put in, so the names in it stay text.
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 # nosec B704


def cut(text: str, letters: int) -> str:
    """Return a sentence of at most so many letters, cut between words and not inside code."""
    if len(text) <= letters:
        return text
    start = text[:letters].rpartition(" ")[0]
    if start.count("`") % 2:
        start = start.rpartition("`")[0].rstrip()
    return f"{start} …"
