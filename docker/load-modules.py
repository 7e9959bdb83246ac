"""Import what the job and `mmm` use, so that Python writes the bytecode of those modules.

A test compares the list with what the project imports. The last part has what a training loads
later. The modules of `holidays` load each other in turn, so all of it is compiled.
"""

from __future__ import annotations

import compileall
from importlib import import_module
from pathlib import Path

MODULES = (
    "altair", "cryptography.hazmat.primitives.serialization", "duckdb", "google.api_core.retry",
    "google.auth.transport.requests", "google.cloud.bigquery", "google.cloud.bigquery_storage",
    "google.cloud.pubsub_v1.publisher.exceptions", "google.cloud.run_v2", "google.cloud.storage",
    "google.protobuf.json_format", "google_crc32c", "holidays.registry", "jinja2", "markupsafe",
    "numpy.typing", "pandas", "psutil", "pyarrow.compute", "pyarrow.csv", "pyarrow.dataset",
    "pyarrow.parquet", "pydantic", "pydantic_core", "pydantic_settings", "python_calamine",
    "requests", "rich.console", "rich.live", "rich.progress", "rich.table", "rich.text",
    "snowflake.connector", "sqlglot.dialects", "sqlglot.optimizer", "structlog",
    "typer.rich_utils", "urllib3", "vl_convert", "yaml",
    "narwhals._interchange.dataframe", "narwhals._pandas_like.dataframe",
    "narwhals._pandas_like.group_by", "narwhals._pandas_like.namespace",
    "narwhals.stable.v1._namespace", "pandas.core.methods.to_dict",
    "pandas.core.reshape.reshape", "pandas.io.formats.csvs", "pandas.io.formats.string",
    "sqlglot.generators.bigquery", "sqlglot.generators.duckdb", "sqlglot.generators.snowflake",
    "sqlglot.parsers.bigquery", "sqlglot.parsers.duckdb", "sqlglot.parsers.snowflake",
    "sqlglot.transforms",
)  # fmt: skip
WHOLE = "holidays"

if __name__ == "__main__":
    for module in MODULES:
        import_module(module)
    package = import_module(WHOLE)
    compileall.compile_dir(Path(str(package.__file__)).parent, quiet=1)
