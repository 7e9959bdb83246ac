"""Executions in the two forms that clients read: Admin API v2, and v1 for gcloud."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from mmm.local.tasks import LocalExecution, Task
from trigger.execution import Phase

EXECUTION_TYPE = "type.googleapis.com/google.cloud.run.v2.Execution"


def v2_execution(execution: LocalExecution) -> dict[str, Any]:
    job = execution.name.partition("/executions/")[0]
    started = execution.phase is not Phase.PENDING
    return {
        "name": execution.name,
        "job": job,
        "createTime": _time(execution.created_at),
        **({"startTime": _time(execution.created_at)} if started else {}),
        **({"completionTime": _time(execution.ended_at)} if execution.ended_at else {}),
        "taskCount": execution.task_count,
        "runningCount": _count(execution, Phase.RUNNING),
        "succeededCount": _count(execution, Phase.SUCCEEDED),
        "failedCount": _count(execution, Phase.FAILED),
        "cancelledCount": _count(execution, Phase.CANCELLED),
        "retriedCount": sum(task.attempt for task in execution.tasks),
        "template": {
            "containers": [
                {"name": "job", "env": [{"name": k, "value": v} for k, v in execution.env.items()]}
            ],
            "maxRetries": execution.max_retries,
            "timeout": f"{execution.timeout:.0f}s",
        },
        "conditions": [_v2_condition(execution)],
    }


def v2_task(execution: LocalExecution, task: Task) -> dict[str, Any]:
    failed = task.exit_code or task.term_signal
    return {
        "name": f"{execution.name}/tasks/{execution.short_name}-task{task.index}",
        "index": task.index,
        "execution": execution.name,
        "retried": task.attempt,
        "lastAttemptResult": {
            "exitCode": task.exit_code,
            "termSignal": task.term_signal,
            "status": {"code": 2 if failed else 0, "message": task.message if failed else ""},
        },
        "conditions": [],
    }


def v2_operation(
    name: str, execution: LocalExecution, *, done: bool | None = None
) -> dict[str, Any]:
    seen = {"@type": EXECUTION_TYPE, **v2_execution(execution)}
    over = execution.done.is_set() if done is None else done
    operation: dict[str, Any] = {"name": name, "metadata": seen, "done": over}
    if over and execution.phase is Phase.FAILED:
        operation["error"] = {"code": 2, "message": execution.reason}
    elif over:
        operation["response"] = seen
    return operation


def v1_job(project: str, name: str, execution: LocalExecution | None) -> dict[str, Any]:
    latest = {"latestCreatedExecution": {"name": execution.short_name}} if execution else {}
    return {
        "apiVersion": "run.googleapis.com/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": project, "annotations": {}, "labels": {}},
        "spec": {
            "template": {
                "metadata": {"annotations": {}, "labels": {}},
                "spec": {
                    "taskCount": 1,
                    "template": {
                        "spec": {"containers": [{"image": "image", "name": "job"}], "maxRetries": 1}
                    },
                },
            }
        },
        "status": {"conditions": [{"type": "Ready", "status": "True"}], **latest},
    }


def v1_execution(project: str, execution: LocalExecution) -> dict[str, Any]:
    phase, over = execution.phase, execution.done.is_set()
    status = {Phase.SUCCEEDED: "True"}.get(phase, "False") if over else "Unknown"
    reason = {Phase.FAILED: "NonZeroExitCode", Phase.CANCELLED: "Cancelled"}.get(phase, "")
    return {
        "apiVersion": "run.googleapis.com/v1",
        "kind": "Execution",
        "metadata": {
            "name": execution.short_name,
            "namespace": project,
            "labels": {
                "run.googleapis.com/job": execution.job,
                "cloud.googleapis.com/location": "europe-west1",
            },
            "annotations": {},
            "creationTimestamp": _time(execution.created_at),
        },
        "spec": {
            "taskCount": execution.task_count,
            "parallelism": execution.task_count,
            "template": {"spec": {"containers": [{"image": "image", "name": "job"}]}},
        },
        "status": {
            "conditions": [
                {
                    "type": "Completed",
                    "status": status,
                    "reason": reason,
                    "message": execution.reason or "",
                },
                {"type": "ResourcesAvailable", "status": "True"},
                {"type": "Started", "status": "True"},
            ],
            "startTime": _time(execution.created_at),
            **({"completionTime": _time(execution.ended_at)} if execution.ended_at else {}),
            "runningCount": _count(execution, Phase.RUNNING),
            "succeededCount": _count(execution, Phase.SUCCEEDED),
            "failedCount": _count(execution, Phase.FAILED),
            "cancelledCount": _count(execution, Phase.CANCELLED),
            "logUri": "https://console.example/logs",
        },
    }


def _v2_condition(execution: LocalExecution) -> dict[str, Any]:
    if not execution.done.is_set():
        return {"type": "Completed", "state": "CONDITION_RECONCILING"}
    if execution.phase is Phase.SUCCEEDED:
        return {"type": "Completed", "state": "CONDITION_SUCCEEDED"}
    cancelled = execution.phase is Phase.CANCELLED
    return {
        "type": "Completed",
        "state": "CONDITION_FAILED",
        "executionReason": "CANCELLED" if cancelled else "NON_ZERO_EXIT_CODE",
        "message": execution.reason or "",
    }


def _count(execution: LocalExecution, phase: Phase) -> int:
    return sum(task.phase is phase for task in execution.tasks)


def _time(at: datetime | None) -> str:
    return at.isoformat().replace("+00:00", "Z") if at else ""
