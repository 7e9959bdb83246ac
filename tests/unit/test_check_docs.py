"""The check of documents: it finds each kind of name that does not exist, and nothing else."""

from __future__ import annotations

import pytest

from scripts.check_docs import problems
from scripts.repository import ROOT, Repository

REPOSITORY = Repository(ROOT)
ABSENT = "MMM" + "_NOTHING"  # in two parts, so that this file does not name it


def found(text: str, path: str = "docs/new.md") -> list[str]:
    return [problem.split(": ", 1)[1] for problem in problems(path, REPOSITORY, text)]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[a](nowhere.md)", "the link `nowhere.md` leads to no file"),
        ("![a](nowhere.png)", "the link `nowhere.png` leads to no file"),
        ("[a](data.md#nothing)", "the link `data.md#nothing` leads to no heading of docs/data.md"),
        ("[a](#nothing)", "the link `#nothing` leads to no heading of docs/new.md"),
        ("`job/nowhere.py`", "there is no `job/nowhere.py`"),
        ("`job/*.rs`", "there is no `job/*.rs`"),
        ("`nowhere.R`", "there is no file `nowhere.R`"),
        ("`make nothing`", "the Makefile has no target `nothing`"),
        ("`mmm nothing`", "`mmm` has no command `nothing`"),
        ("`mmm run --nothing x`", "`mmm run` has no option `--nothing`"),
        ("`mmm --nothing`", "`mmm` has no option `--nothing`"),
        ("`contract.nothing`", "there is no `contract.nothing`"),
        ("`contract.loading.nothing`", "there is no `contract.loading.nothing`"),
        (f"`{ABSENT}`", f"the code has no environment variable `{ABSENT}`"),
        ("`mmm-nothing`", "Terraform makes nothing with the name `mmm-nothing`"),
        (
            "```bash\nX=1 .venv/bin/mmm plan --nothing  # why\n```",
            "`mmm plan` has no option `--nothing`",
        ),
        ("```bash\nmake env && make nothing\n```", "the Makefile has no target `nothing`"),
        ("```bash\npython -m job.nothing\n```", "`python -m job.nothing` runs no module"),
        ("```bash\ndocker/nothing.sh\n```", "there is no `docker/nothing.sh`"),
        (
            "```bash\ngcloud run jobs execute mmm-trainer --args=x\n```",
            "Terraform names the job `mmm-train`, not `mmm-trainer`",
        ),
        (
            "```bash\ngcloud run jobs executions list \\\n  --job=mmm-job\n```",
            "Terraform names the job `mmm-train`, not `mmm-job`",
        ),
        (
            "```bash\ngcloud pubsub topics publish mmm-request --message=x\n```",
            "Terraform makes nothing with the name `mmm-request`",
        ),
    ],
)
def test_what_does_not_exist_is_named(text: str, problem: str) -> None:
    assert found(text) == [problem]


def test_what_exists_is_no_problem() -> None:
    text = """
# A heading, with `code`

See [this](#a-heading-with-code), [that](data.md), [code](../contract/loading.py), [a
folder](../infra/), [a site](https://example.com/x.md), `contract/loading.py`, `infra/job.tf`,
`contract.loading.load_config`, `job/`, `trigger.env`, `job.json`, `examples/data/*.csv`,
`runs/<run id>/status.json`, `MMM_BUCKET`, `make demo`, `mmm run CONFIG --set training.trials=2`.

```bash
make chaos N=500 SEED=1
mmm run -h
gcloud run jobs execute mmm-train --args=--config,gs://BUCKET/configs/de.yaml
gcloud pubsub topics publish mmm-requests --message='{"config_uri": "gs://b/configs/de.yaml"}'
gcloud scheduler jobs run mmm-request-de
```
"""
    assert found(text) == []


def test_a_problem_names_document_and_line() -> None:
    [problem] = problems("README.md", REPOSITORY, "# T\n\nx\n\n`make nothing`\n")
    assert problem == "README.md:5: the Makefile has no target `nothing`"
