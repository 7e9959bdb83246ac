"""Draw again with the data of one run and the config of another, to separate causes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from contract import layout
from contract.config import Config
from contract.exceptions import ConfigError, NotFoundError
from contract.stores import Store
from job.outputs.manifest import Manifest
from job.posterior.draws import draw
from job.posterior.prepare import prepare, priors_of
from job.sources import Snapshot
from job.sources.annotations import with_annotations
from job.sources.snapshot import METADATA_KEY

TOTAL = ""  # the name of all paid channels together; no channel is called so


def data_of(store: Store, run: Manifest, folder: Path) -> Path | None:
    """Download the data that a run was trained on; return None if it is no longer stored."""
    path = folder / f"{run.run_id}.parquet"
    artifact = layout.artifacts(run.revision, run.market, run.run_id, "data.parquet")
    for stored in (artifact, layout.work(run.run_id, "snapshot.parquet")):
        try:
            store.download(stored, path)
        except NotFoundError:
            continue
        return path
    return None


def required_data_of(store: Store, run: Manifest, folder: Path) -> Path:
    """Download the data that a run was trained on.

    Raises:
        ConfigError: it is no longer stored.
    """
    data = data_of(store, run, folder)
    if data is None:
        raise ConfigError(
            f"the data of run {run.run_id} is no longer stored: the bucket removes it after some "
            "days, unless the config says `outputs.include_data: true`"
        )
    return data


def roas_of(data: Path, config: Config) -> dict[str, float]:
    """Return the median ROAS of each paid channel, and of all (TOTAL), as a run would draw it."""
    snapshot = Snapshot.load(data)
    named = with_annotations(config, snapshot.annotations)
    market, _ = prepare(snapshot, named)
    draws = draw(
        market,
        seed=named.training.seed,
        priors=priors_of(named),
        sweeps=named.posterior.sweeps,
    )
    roas = draws.roas(market).reshape(-1, market.paid)
    spend = market.spend.sum(1)
    medians = dict(zip(market.names, np.median(roas, axis=0).tolist(), strict=False))
    return {**medians, TOTAL: float(np.median(roas @ spend / spend.sum()))}


def has_columns(data: Path, other: Path) -> bool:
    """Return whether a table has all columns of another one."""
    return set(pq.read_schema(other).names) <= set(pq.read_schema(data).names)


def restate(before: Path, after: Path, out: Path) -> Path:
    """Write the periods of `before` with the values that `after` has for them."""
    old = pq.read_table(before)
    new = pq.read_table(after).select(old.column_names).cast(old.schema)
    day = old.column_names[0]
    kept = new.filter(pc.is_in(new[day], value_set=old[day].combine_chunks()))
    gone = old.filter(pc.invert(pc.is_in(old[day], value_set=new[day].combine_chunks())))
    table = pa.concat_tables([kept, gone]).sort_by(day)
    facts = {METADATA_KEY: pq.read_metadata(before).metadata[METADATA_KEY]}
    pq.write_table(table.replace_schema_metadata(facts), out)
    return out
