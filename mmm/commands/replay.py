"""`mmm replay RUN`: train a finished run again, and compare its artifacts to the byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from mmm.commands.common import (
    DEFAULT_BUCKET,
    AsJson,
    Bucket,
    CurrentRun,
    Revision,
    report_errors,
)

if TYPE_CHECKING:
    from mmm.replay import Replay

DIFFERENT = 1  # the exit code, as that of `diff`


def command(
    run: CurrentRun,
    revision: Revision = "r1",
    bucket: Bucket = DEFAULT_BUCKET,
    as_json: AsJson = False,
) -> None:
    """Train a run again and compare.

    Trains on the data and config that the run left, on this machine and in a temporary folder; the
    bucket is only read. Compares every artifact byte for byte, except those that contain times, and
    shows what differs in files and versions. It takes as long as the run. Exits with 1 if an
    artifact differs.

    Examples: mmm replay DE; mmm replay 20261123T020000Z-1a2b3c4d --bucket gs://BUCKET --json
    """
    from contract.exceptions import ModelError
    from contract.stores import open_store
    from contract.stores.folder import FolderStore
    from job.runtime.signals import finish
    from job.runtime.temporary import TemporaryFolder
    from mmm.compare.runs import find_run
    from mmm.replay import compare, prepare, train_again

    with report_errors(as_json=as_json):
        store = open_store(bucket)
        before = find_run(store, run, revision=revision).manifest
        with TemporaryFolder("replay-") as folder:
            place = prepare(store, before, folder.path)
            ending, after = train_again(before, place)
            if after is None and not ending.exit_code:
                raise ModelError(f"the training ended as {ending.state} and left no manifest")
            replay = compare(store, before, FolderStore(place), after) if after else None
    code = finish(ending.exit_code)  # only now: after a signal, it ends the process
    if replay is None:
        raise typer.Exit(code)
    if as_json:
        print(replay.model_dump_json())
    else:
        _print(replay)
    if not replay.is_equal:
        raise typer.Exit(DIFFERENT)


def _print(replay: Replay) -> None:
    from contract.printable import one_line

    for version in replay.versions:
        print(one_line(f"version  {version.name}: {version.before} then, {version.after} now"))
    for file in replay.files:
        if file.is_equal:
            continue
        gone = "is new" if file.before_sha256 is None else "is missing"
        what = "differs" if file.before_sha256 and file.after_sha256 else gone
        print(one_line(f"{what:<8} {file.path}"))
        for difference in file.differences:
            print(one_line(f"         {difference}"))
    same = sum(file.is_equal for file in replay.files)
    print(
        f"{'EQUAL' if replay.is_equal else 'DIFFERENT'} {replay.run_id}: {same} of "
        f"{len(replay.files)} artifacts have the same bytes; not compared: "
        f"{', '.join(replay.not_compared)}"
    )
