"""`mmm compare A B`: two runs side by side, and what their difference is made of."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmm.commands.common import DEFAULT_BUCKET, AsJson, Bucket, print_table, report_errors

if TYPE_CHECKING:
    from mmm.compare.document import Compared

RUN = "A run id, a market (its current run), or MARKET@DATE (its last accepted run by then)."


def command(
    before: Annotated[str, typer.Argument(metavar="A", help=RUN)],
    after: Annotated[str, typer.Argument(metavar="B", help="The run to compare with A; the same.")],
    revision: Annotated[str, typer.Option(help="Revision of a market.")] = "r1",
    quick: Annotated[
        bool, typer.Option("--quick", help="Draw nothing again; several causes share one part.")
    ] = False,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write the comparison as a page to this file.")
    ] = None,
    bucket: Bucket = DEFAULT_BUCKET,
    as_json: AsJson = False,
) -> None:
    """Compare two runs of a market.

    Shows what differs (restated history, new periods, search, config, version) and each channel's
    ROAS in both runs. The change is split into parts that add up. If there are several causes, the
    posterior is drawn again for all but one, which takes seconds each and needs the data of both
    runs.

    Examples: mmm compare DE@2026-11-01 DE; mmm compare DE RUN --html compared.html
    """
    from contract.stores import open_store
    from mmm.compare.compared import compare_runs
    from mmm.compare.text import parts

    with report_errors(as_json=as_json):
        compared = compare_runs(
            open_store(bucket),
            before,
            after,
            revision=revision,
            may_draw=not quick,
            on_draw=lambda step: print(f"drawing: {step or 'first run'} …", file=sys.stderr),
        )
        if html is not None:
            _write(html, compared)
    if as_json:
        print(compared.model_dump_json())
        return
    for part in parts(compared):
        if isinstance(part, str):
            print(part)
        else:
            print_table(part)


def _write(file: Path, compared: Compared) -> None:
    """Write the comparison as a page.

    Raises:
        ConfigError: the file cannot be written.
    """
    from contract.exceptions import ConfigError
    from contract.printable import short
    from mmm.compare.page import render_comparison  # slow: Altair

    try:
        file.write_text(render_comparison(compared), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"`{short(str(file))}` cannot be written: {error.strerror}") from None
    print(f"wrote {file}", file=sys.stderr)
