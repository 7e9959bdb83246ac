# Alerts for an execution that failed, a request that could not be delivered, an error in the log of
# job or functions, and a reconcile that no longer runs.
locals {
  alerts = var.alerts.enabled ? {
    failed-executions = {
      title  = "an execution of the training job failed"
      filter = "resource.type = \"cloud_run_job\" AND resource.labels.job_name = \"${google_cloud_run_v2_job.train.name}\" AND metric.type = \"run.googleapis.com/job/completed_execution_count\" AND metric.labels.result = \"failed\""
      advice = "`gcloud run jobs executions list --job=${google_cloud_run_v2_job.train.name} --region=${var.region}` shows the execution; runs/<run id>/status.json in ${google_storage_bucket.data.url} has the step and the reason."
    }
    dead-letters = {
      title  = "a request could not be delivered"
      filter = "resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = \"${google_pubsub_subscription.requests.name}\" AND metric.type = \"pubsub.googleapis.com/subscription/dead_letter_message_count\""
      advice = "`gcloud pubsub subscriptions pull ${google_pubsub_subscription.dead_letters.name}` shows the request; the function's log has the reason."
    }
    job-errors = {
      title  = "the training job logged an error"
      filter = "resource.type = \"cloud_run_job\" AND metric.type = \"logging.googleapis.com/user/${google_logging_metric.errors.name}\""
      advice = "Filter of the log: ${google_logging_metric.errors.filter}"
    }
    trigger-errors = {
      title  = "a function logged an error"
      filter = "resource.type = \"cloud_run_revision\" AND metric.type = \"logging.googleapis.com/user/${google_logging_metric.errors.name}\""
      advice = "Filter of the log: ${google_logging_metric.errors.filter}"
    }
  } : {}
}

# Every pass of reconcile ends with one such entry. None appears if Cloud Scheduler does not call it, if
# it may not be called, or if it fails before its end.
resource "google_logging_metric" "reconciled" {
  project     = var.project_id
  name        = "${var.name}/reconciled"
  description = "Passes of reconcile that reached their end."
  filter      = "resource.type = \"cloud_run_revision\" AND resource.labels.service_name = \"${google_cloudfunctions2_function.reconcile.name}\" AND jsonPayload.message =~ \"^settled: \""
  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
  }

  depends_on = [google_project_service.this]
}

resource "google_monitoring_alert_policy" "reconcile" {
  count                 = var.alerts.enabled ? 1 : 0
  project               = var.project_id
  display_name          = "${var.name}: reconcile does not run"
  combiner              = "OR"
  notification_channels = var.alerts.notification_channels
  user_labels           = local.labels

  conditions {
    display_name = "no pass of reconcile for 30 minutes"
    condition_absent {
      filter   = "resource.type = \"cloud_run_revision\" AND metric.type = \"logging.googleapis.com/user/${google_logging_metric.reconciled.name}\""
      duration = "1800s"
      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }
  alert_strategy {
    auto_close = "86400s"
  }
  documentation {
    mime_type = "text/markdown"
    content   = "Runs whose process died stay open, and waiting runs do not start. `gcloud scheduler jobs describe ${google_cloud_scheduler_job.reconcile.name} --location=${var.region}` shows the last call; `gcloud functions logs read ${google_cloudfunctions2_function.reconcile.name} --region=${var.region}` shows what it said."
  }
}

# Includes runs that end as FAILED or REJECTED without a failed execution: both are logged as errors.
resource "google_logging_metric" "errors" {
  project     = var.project_id
  name        = "${var.name}/errors"
  description = "Log entries of trigger, reconcile and job with severity ERROR or above."
  filter      = "severity >= ERROR AND ((resource.type = \"cloud_run_job\" AND resource.labels.job_name = \"${google_cloud_run_v2_job.train.name}\") OR (resource.type = \"cloud_run_revision\" AND (resource.labels.service_name = \"${google_cloudfunctions2_function.trigger.name}\" OR resource.labels.service_name = \"${google_cloudfunctions2_function.reconcile.name}\")))"
  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
  }

  depends_on = [google_project_service.this]
}

resource "google_monitoring_alert_policy" "this" {
  for_each              = local.alerts
  project               = var.project_id
  display_name          = "${var.name}: ${each.value.title}"
  combiner              = "OR"
  notification_channels = var.alerts.notification_channels
  user_labels           = local.labels

  conditions {
    display_name = each.value.title
    condition_threshold {
      filter          = each.value.filter
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"
      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
      }
      trigger {
        count = 1
      }
    }
  }
  alert_strategy {
    auto_close = "86400s"
  }
  documentation {
    mime_type = "text/markdown"
    content   = each.value.advice
  }
}
