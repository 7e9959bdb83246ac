"""The memory that a task needs: on Cloud Run, the files that it writes are memory too.

The coefficients are 15 to 35% above what `python -m bench.task_memory` measured.
"""

from __future__ import annotations

from job.cost.work import Work

MIB_FIXED = {"builtin": 600.0, "robyn": 750.0}  # Python, R's main process, posterior, extract
MIB_PER_PROCESS = 120.0  # one of R for each trial at once
MIB_PER_MODEL = {"builtin": 0.006, "robyn": 0.014}  # tables of all models in R and in Parquet
MIB_PER_MODEL_AND_MEDIUM = 0.0008
MIB_PER_MODEL_AND_ROW = 0.00001


def needed_gib(work: Work) -> float:
    """Return the GiB that the task which makes the outputs needs at its peak, files included."""
    models = work.trials * work.iterations
    mib = (
        MIB_FIXED[work.engine]
        + MIB_PER_PROCESS * min(work.cores, work.trials)
        + models
        * (
            MIB_PER_MODEL[work.engine]
            + MIB_PER_MODEL_AND_MEDIUM * work.media
            + MIB_PER_MODEL_AND_ROW * work.rows
        )
    )
    return mib / 1024
