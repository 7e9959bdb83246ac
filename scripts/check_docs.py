"""Check that what the documents name exists: `python -m scripts.check_docs`.

Every Markdown file of the repository is read. In its text: links and their anchors. In its code:
paths, `make` targets, commands of `mmm` and their options, `python -m` modules, dotted names of the
packages, environment variables, and resources that `gcloud` commands name.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from posixpath import normpath
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token

from scripts.repository import ROOT, Repository

SHELLS = ("bash", "sh", "console", "")
SOURCES = (".py", ".R", ".tf", ".sh", ".j2")
FILES = (*SOURCES, ".json", ".yaml", ".csv", ".log")
RESOURCE = r"mmm-[a-z-]+"
SEPARATORS = {"|", "||", "&&", ";", "&"}


def main() -> int:
    """Print each problem; returns the exit code."""
    repository = Repository(ROOT)
    found = [problem for path in repository.documents for problem in problems(path, repository)]
    print("\n".join(found) or f"{len(repository.documents)} documents name only what exists")
    return 1 if found else 0


def problems(path: str, repository: Repository, text: str | None = None) -> Iterator[str]:
    """Yield a sentence for everything in a document that does not exist.

    Args:
        path: The document, from the repository's root.
        repository: What exists.
        text: The document's text; by default it is read.
    """
    tokens = parse(repository.text(path) if text is None else text)
    for token in tokens:
        line = (token.map or [0])[0] + 1
        for problem in _in_token(token, path, tokens, repository):
            yield f"{path}:{line}: {problem}"


def parse(text: str) -> list[Token]:
    """Return a document's blocks."""
    return MarkdownIt("commonmark").enable("table").parse(text)


def _in_token(
    token: Token, path: str, tokens: list[Token], repository: Repository
) -> Iterator[str]:
    if token.type == "fence" and token.info.split(" ")[0] in SHELLS:
        for line in token.content.replace("\\\n", " ").splitlines():
            yield from in_code(line, repository, is_shell=token.info != "")
    for child in token.children or ():
        if child.type == "code_inline":
            yield from in_code(child.content, repository)
        target = child.attrGet("href") or child.attrGet("src")
        if target:
            yield from _in_link(str(target), path, tokens, repository)


def _in_link(target: str, path: str, tokens: list[Token], repository: Repository) -> Iterator[str]:
    if re.match(r"[a-z]+:", target):
        return
    file, _, anchor = unquote(target).partition("#")
    linked = normpath(f"{Path(path).parent}/{file}") if file else path
    if linked != path and not repository.has(linked):
        yield f"the link `{target}` leads to no file"
    elif anchor and linked.endswith(".md"):
        others = tokens if linked == path else parse(repository.text(linked))
        if anchor not in anchors(others):
            yield f"the link `{target}` leads to no heading of {linked}"


def anchors(tokens: list[Token]) -> set[str]:
    """Return the anchors that GitHub gives the headings of a document."""
    found: list[str] = []
    for opening, heading in pairwise(tokens):
        if opening.type == "heading_open":
            text = "".join(child.content for child in heading.children or ())
            slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            same = found.count(slug)
            found += [slug, f"{slug}-{same}"] if same else [slug]
    return set(found)


def in_code(code: str, repository: Repository, *, is_shell: bool = False) -> Iterator[str]:
    """Yield what does not exist of the names in a piece of code, or in a line of a shell."""
    try:
        words = shlex.split(code, comments=True)
    except ValueError:
        words = code.split()
    if not words:
        return
    for name in re.findall(r"\bMMM_[A-Z_]+[A-Z]\b", code):
        if name not in repository.variables:
            yield f"the code has no environment variable `{name}`"
    for word in words if is_shell else words[:1]:
        yield from _in_path(word, repository)
    if not is_shell and len(words) == 1:
        yield from _in_name(words[0], repository)
    command: list[str] = []
    for word in [*words, ";"]:
        if word not in SEPARATORS:
            command.append(word)
            continue
        yield from in_command(command, repository)
        command = []


def _in_path(word: str, repository: Repository) -> Iterator[str]:
    path = word.removeprefix("./")
    top, slash, _ = path.partition("/")
    if re.search(r"[<>…{}$:=\"'(),@]", path):
        return
    if slash and top in repository.folders and not repository.has(path):
        yield f"there is no `{path}`"
    if not slash and path.endswith(SOURCES) and not repository.has(f"*/{path}"):
        yield f"there is no file `{path}`"


def _in_name(name: str, repository: Repository) -> Iterator[str]:
    if re.fullmatch(r"(app|contract|trigger|job|mmm)(\.\w+)+", name) and not name.endswith(FILES):
        yield from _in_dotted(name, repository)
    elif re.fullmatch(RESOURCE, name) and not repository.has_resource(name):
        yield f"Terraform makes nothing with the name `{name}`"


def _in_dotted(name: str, repository: Repository) -> Iterator[str]:
    """A module, something in a module, or a field of a Terraform variable."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        module = "/".join(parts[:length])
        file = next(
            (f for f in (f"{module}.py", f"{module}/__init__.py") if f in repository.files), ""
        )
        if file:
            break
    rest = parts[length:]
    body = repository.text(file)
    if all(re.search(rf"^\s*(def |class )?{part}\b", body, re.MULTILINE) for part in rest):
        return
    variables = repository.text("infra/variables.tf")
    block = variables.partition(f'variable "{parts[0]}"')[2].partition("\nvariable ")[0]
    if re.search(rf"^\s+{parts[1]}\s*=", block, re.MULTILINE):
        return
    yield f"there is no `{name}`"


def in_command(words: list[str], repository: Repository) -> Iterator[str]:
    """Yield what does not exist of a command's parts."""
    while words and re.match(r"[A-Z_]+=", words[0]):
        words = words[1:]
    if not words:
        return
    program = words[0].rpartition("/")[2]
    if program == "make":
        for word in words[1:]:
            if re.fullmatch(r"[a-z-]+", word) and word not in repository.targets:
                yield f"the Makefile has no target `{word}`"
    elif program.startswith("python") and words[1:2] == ["-m"] and len(words) > 2:
        module = words[2]
        if module == "mmm":
            yield from _in_mmm(words[3:], repository)
        elif module.partition(".")[0] in repository.folders:
            path = module.replace(".", "/")
            if not ({f"{path}.py", f"{path}/__main__.py"} & repository.files):
                yield f"`python -m {module}` runs no module"
    elif program == "mmm":
        yield from _in_mmm(words[1:], repository)
    elif program == "gcloud":
        yield from _in_gcloud(words, repository)


def _in_mmm(words: list[str], repository: Repository) -> Iterator[str]:
    name = words[0] if words and not words[0].startswith("-") else ""
    if name not in repository.commands:
        yield f"`mmm` has no command `{name}`"
        return
    for word in words:
        option = word.partition("=")[0]
        if option.startswith("-") and option not in repository.commands[name]:
            yield f"`{f'mmm {name}'.strip()}` has no option `{option}`"


def _in_gcloud(words: list[str], repository: Repository) -> Iterator[str]:
    execute = ["gcloud", "run", "jobs", "execute"]
    jobs = [word.removeprefix("--job=") for word in words if word.startswith("--job=")]
    jobs += words[4:5] if words[:4] == execute else []
    for job in jobs:
        if job != repository.job:
            yield f"Terraform names the job `{repository.job}`, not `{job}`"
    for word in words:
        name = word.rpartition("=")[2]
        if re.fullmatch(RESOURCE, name) and name not in jobs and not repository.has_resource(name):
            yield f"Terraform makes nothing with the name `{name}`"


if __name__ == "__main__":
    sys.exit(main())
