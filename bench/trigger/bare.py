"""The baseline: the `main.py` of a function that only calls `run_job`, with the same client."""

MAIN = """
import os

import functions_framework
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import run_v2

CLIENT = run_v2.JobsClient(
    transport="rest",
    client_options=ClientOptions(api_endpoint=os.environ["MMM_RUN_ENDPOINT"]),
    credentials=AnonymousCredentials(),
)


@functions_framework.cloud_event
def on_message(event):
    overrides = run_v2.RunJobRequest.Overrides(
        container_overrides=[
            run_v2.RunJobRequest.Overrides.ContainerOverride(
                env=[run_v2.EnvVar(name="MMM_RUN_ID", value=event["id"])]
            )
        ]
    )
    request = run_v2.RunJobRequest(name=os.environ["MMM_JOB"], overrides=overrides)
    CLIENT.run_job(request=request, retry=None, timeout=30)
"""
