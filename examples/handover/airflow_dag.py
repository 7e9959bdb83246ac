"""Request a model of a market from MMM Trainer, and wait for the event of this run."""

import json
from datetime import datetime

from airflow.decorators import dag, task
from airflow.exceptions import AirflowException
from airflow.providers.google.cloud.hooks.pubsub import PubSubHook
from airflow.providers.google.cloud.operators.pubsub import (
    PubSubCreateSubscriptionOperator,
    PubSubDeleteSubscriptionOperator,
)
from airflow.providers.google.cloud.sensors.pubsub import PubSubPullSensor

PROJECT, BUCKET, CONFIG = "my-project", "my-project-mmm", "configs/de.yaml"
# The DAG chooses the run's id: a time and eight hex digits. A retry of the task then asks for this
# run again, and the subscription receives the event of this run only.
RUN_ID = "{{ data_interval_end.strftime('%Y%m%dT%H%M%SZ') }}-000000de"
SUBSCRIPTION = f"airflow-{RUN_ID}"


class CreateFilteredSubscription(PubSubCreateSubscriptionOperator):
    """The operator, with a filter in which Airflow fills in the run's id."""

    template_fields = (*PubSubCreateSubscriptionOperator.template_fields, "filter_")


def read_event(messages, context):
    """Return the report's address; fail if a person must look at the run."""
    if not messages:
        return None
    data = json.loads(messages[0].message.data)["data"]
    if data["state"] not in ("SUCCEEDED", "DUPLICATE", "SKIPPED"):
        why = (data["error"] or {}).get("message") or (data["drift"] or {}).get("reasons")
        raise AirflowException(f"run {data['run_id']} is {data['state']}: {why}")
    return data["report_uri"]


@task
def publish(run_id):
    """Publish the request."""
    request = {"config_uri": f"gs://{BUCKET}/{CONFIG}", "run_id": run_id}
    message = {"data": json.dumps(request).encode(), "attributes": {"source": "airflow"}}
    PubSubHook().publish(project_id=PROJECT, topic="mmm-requests", messages=[message])


@dag(schedule="0 4 * * *", start_date=datetime(2026, 1, 1), catchup=False)
def mmm_de():
    """Train the model of DE."""
    subscribe = CreateFilteredSubscription(
        task_id="subscribe",
        project_id=PROJECT,
        topic="mmm-events",
        subscription=SUBSCRIPTION,
        filter_=f'attributes.run_id = "{RUN_ID}"',
    )
    wait = PubSubPullSensor(
        task_id="wait",
        project_id=PROJECT,
        subscription=SUBSCRIPTION,
        max_messages=1,
        ack_messages=True,
        messages_callback=read_event,
        mode="reschedule",
        poke_interval=60,
        timeout=6 * 3600,
    )
    unsubscribe = PubSubDeleteSubscriptionOperator(
        task_id="unsubscribe",
        project_id=PROJECT,
        subscription=SUBSCRIPTION,
        trigger_rule="all_done",
    )
    subscribe >> publish(RUN_ID) >> wait >> unsubscribe


mmm_de()
