"""`mmm upgrade-check`: train last night's runs again with this version, before it is deployed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from contract.printable import one_line
from mmm.commands.common import DEFAULT_BUCKET, Bucket, JsonLines, Revision, report_errors

if TYPE_CHECKING:
    from mmm.upgrade import Upgraded

NOT_SAFE = 1  # the exit code


def command(
    runs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN]...",
            help="Runs, or markets for their current runs; by default every market.",
        ),
    ] = None,
    revision: Revision = "r1",
    bucket: Bucket = DEFAULT_BUCKET,
    as_json: JsonLines = False,
) -> None:
    """Train the current runs again with this version, and compare.

    Start it in the new image before that is deployed. Each run is trained on the data and config
    that it left, in a temporary folder; the bucket is only read. EQUAL: the artifacts have the same
    bytes. WITHIN: the figures are within the tolerances of `promotion` of the run's config, and the
    verdict is not worse. BEYOND and FAILED say why. UNCHECKED: its data is no longer stored. It
    takes as long as the runs. Exits with 1 if a run is BEYOND or FAILED, or if none was checked.

    Examples: mmm upgrade-check --bucket gs://BUCKET; mmm upgrade-check DE FR
    """
    from contract.exceptions import CancelledError, ConfigError
    from contract.stores import open_store
    from job.runtime.signals import finish
    from job.runtime.temporary import TemporaryFolder
    from mmm.upgrade import Outcome, check_run, current_runs

    found = []
    with report_errors(as_json=as_json):
        store = open_store(bucket)
        names = runs or current_runs(store)
        if not names:
            raise ConfigError(f"no market in {store.url} has a current run")
        for name in names:
            with TemporaryFolder("upgrade-") as folder:
                found.append(check_run(store, name, folder.path, revision=revision))
            finish(CancelledError.exit_code)  # only after a signal, it ends the process
            _print(found[-1], as_json=as_json)
    safe = sum(run.is_safe for run in found)
    checked = sum(run.outcome is not Outcome.UNCHECKED for run in found)
    if not as_json:
        print(f"{safe} of {len(found)} runs are safe with this version; {checked} were checked")
    if not checked or safe < checked:
        raise typer.Exit(NOT_SAFE)


def _print(run: Upgraded, *, as_json: bool) -> None:
    if as_json:
        print(run.model_dump_json(), flush=True)
        return
    change = run.roas_change
    by = "" if change is None else f": ROAS of a channel changes by at most {change:.1%}"
    print(one_line(f"{run.outcome:<9} {run.market} {run.run_id}{by}"), flush=True)
    for reason in run.reasons:
        print(one_line(f"          {reason}"), flush=True)
    for version in run.versions:
        if not version.name.startswith(("Python package", "R package")):
            line = f"{version.name}: {version.before} then, {version.after} now"
            print(one_line(f"          {line}"), flush=True)
