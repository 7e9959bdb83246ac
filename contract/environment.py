"""The names of the environment variables that the trigger, the job and the command line read.

Terraform sets those of a deployment, the trigger those of a run, and Cloud Run those of a task.
`contract.environment_settings` reads their values.
"""

from __future__ import annotations

import os

# of a deployment
BUCKET = "MMM_BUCKET"  # the bucket: gs://BUCKET or a folder
EVENTS_TOPIC = "MMM_EVENTS_TOPIC"  # where events go: projects/P/topics/T or a .jsonl file
REQUESTS_TOPIC = "MMM_REQUESTS_TOPIC"  # where requests go: projects/P/topics/T or a .jsonl file
DEAD_LETTERS = "MMM_DEAD_LETTERS"  # the subscription that holds undeliverable requests
PROJECT = "MMM_PROJECT"  # the project of the Google clients, if the credentials name another

# of the trigger
JOB = "MMM_JOB"  # the job that it launches: projects/P/locations/L/jobs/J
RUN_ENDPOINT = "MMM_RUN_ENDPOINT"  # the address of a stand-in for Cloud Run's API
MAX_MESSAGE_AGE_HOURS = "MMM_MAX_MESSAGE_AGE_HOURS"  # older messages are refused

# of the job
IMAGE = "MMM_IMAGE"  # the job's image by its digest, for the manifest
MAX_RETRIES = "MMM_MAX_RETRIES"  # how many times Cloud Run retries a task
MAX_RUNS_A_DAY = "MMM_MAX_RUNS_A_DAY"  # how many runs of all markets may begin on one day
MAX_WAITING = "MMM_MAX_WAITING"  # how many runs may wait for one market
CPU = "MMM_CPU"  # vCPUs of a task, which its price depends on
MEMORY = "MMM_MEMORY"  # memory of a task, which its price depends on
REGION = "MMM_REGION"  # region of the job, which its price depends on
DATA_FOLDER = "MMM_DATA_FOLDER"  # the only folder whose files a config from outside may name
RSCRIPT = "MMM_RSCRIPT"  # the program that runs R
R_ROOT = "MMM_R_ROOT"  # the folder of run_all.R
NEVERGRAD_PYTHON = "RETICULATE_PYTHON"  # the interpreter that R loads nevergrad with
LOG_STYLE = "MMM_LOG_STYLE"  # `console` for people, `json` for Cloud Logging
WAIT_HERE = "MMM_WAIT_HERE"  # 1: the job waits for its market instead of ending
TRACEBACK = "MMM_TRACEBACK"  # 1: the command line shows tracebacks

# of the console
APP_AUDIENCE = "MMM_APP_AUDIENCE"  # the audience of Identity-Aware Proxy's signed header
APP_VIEWERS = "MMM_APP_VIEWERS"  # who may look: addresses, domains, groups; empty for all
APP_EDITORS = "MMM_APP_EDITORS"  # who may save configs, and start and cancel runs
APP_APPROVERS = "MMM_APP_APPROVERS"  # who may promote and hold runs
APP_USER = "MMM_APP_USER"  # the name of the user on a laptop, where there is no sign-in

# of a service, by Cloud Run
CLOUD_RUN_SERVICE = "K_SERVICE"  # the service's name

# of a run, from the trigger to the job
RUN_ID = "MMM_RUN_ID"  # the run to work on
CONFIG_URI = "MMM_CONFIG_URI"  # where its config came from

# of a task, by Cloud Run
CLOUD_RUN_JOB = "CLOUD_RUN_JOB"  # the job's name
CLOUD_RUN_EXECUTION = "CLOUD_RUN_EXECUTION"  # the execution's name
CLOUD_RUN_TASK_INDEX = "CLOUD_RUN_TASK_INDEX"  # the task, from 0
CLOUD_RUN_TASK_COUNT = "CLOUD_RUN_TASK_COUNT"  # the number of tasks
CLOUD_RUN_TASK_ATTEMPT = "CLOUD_RUN_TASK_ATTEMPT"  # the attempt at the task, from 0
TASK = (
    CLOUD_RUN_JOB,
    CLOUD_RUN_EXECUTION,
    CLOUD_RUN_TASK_INDEX,
    CLOUD_RUN_TASK_COUNT,
    CLOUD_RUN_TASK_ATTEMPT,
)

# of a connection to Snowflake, whose values are secret
SNOWFLAKE_SECRETS = (
    "SNOWFLAKE_PRIVATE_KEY",
    "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE",
    "SNOWFLAKE_OAUTH_TOKEN",
    "SNOWFLAKE_PASSWORD",
)


def hide_secrets_from_programs() -> None:
    """Keep the secrets out of programs that this process starts without naming an environment.

    Libraries start such programs: Python's `platform` runs `uname`, and the Snowflake connector
    runs `lsb_release`. This process still reads the secrets from `os.environ`, which `unsetenv`
    does not change.
    """
    for name in SNOWFLAKE_SECRETS:
        os.unsetenv(name)
