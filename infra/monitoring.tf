# Alerts for an execution that failed, a request that could not be delivered, an error in the log of job
# or functions, and a reconcile that no longer runs. Conditions use Google's own metrics and entries of
# the log: a metric of one's own can be used only minutes after it is created.
locals {
  metric_alerts = var.alerts.enabled ? {
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
  } : {}

  # Include runs that end as FAILED or REJECTED without a failed execution: each is logged as an error.
  log_alerts = var.alerts.enabled ? {
    job-errors = {
      title  = "the training job logged an error"
      filter = "severity >= ERROR AND resource.type = \"cloud_run_job\" AND resource.labels.job_name = \"${google_cloud_run_v2_job.train.name}\""
    }
    trigger-errors = {
      title  = "the function that accepts requests logged an error"
      filter = "severity >= ERROR AND resource.type = \"cloud_run_revision\" AND resource.labels.service_name = \"${local.function_names["trigger"]}\""
    }
    reconcile-errors = {
      title  = "reconcile failed, or ended a run as FAILED"
      filter = "severity >= ERROR AND resource.type = \"cloud_run_revision\" AND resource.labels.service_name = \"${local.function_names["reconcile"]}\""
    }
  } : {}
}

resource "google_monitoring_alert_policy" "metric" {
  for_each              = local.metric_alerts
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

  depends_on = [google_project_service.this]
}

resource "google_monitoring_alert_policy" "log" {
  for_each              = local.log_alerts
  project               = var.project_id
  display_name          = "${var.name}: ${each.value.title}"
  combiner              = "OR"
  notification_channels = var.alerts.notification_channels
  user_labels           = local.labels

  conditions {
    display_name = each.value.title
    condition_matched_log {
      filter = each.value.filter
    }
  }
  alert_strategy {
    auto_close = "86400s"
    notification_rate_limit {
      period = "300s"
    }
  }
  documentation {
    mime_type = "text/markdown"
    content   = "Filter of the log: ${each.value.filter}"
  }

  depends_on = [google_project_service.this]
}

# A pass of reconcile that reaches its end is answered with 200. None is if Cloud Scheduler does not call
# it, if it may not be called, or if it fails. Absence is noticed only after a first pass.
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
      filter   = "resource.type = \"cloud_run_revision\" AND resource.labels.service_name = \"${local.function_names["reconcile"]}\" AND metric.type = \"run.googleapis.com/request_count\" AND metric.labels.response_code_class = \"2xx\""
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
    content   = "Runs whose process died stay open, and waiting runs do not start. `gcloud scheduler jobs describe ${google_cloud_scheduler_job.reconcile.name} --location=${var.region}` shows the last call; `gcloud functions logs read ${local.function_names["reconcile"]} --region=${var.region}` shows what it said."
  }

  depends_on = [google_project_service.this]
}
