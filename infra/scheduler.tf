# A schedule with `spread_minutes` runs later by a number of minutes that depends only on its name, so
# that the schedules of many markets do not all begin at once.
locals {
  crons = {
    for name, schedule in var.schedules : name => schedule.spread_minutes == 0 ? schedule.cron : join(" ", concat(
      [tostring(parseint(split(" ", schedule.cron)[0], 10) + parseint(substr(sha256(name), 0, 8), 16) % schedule.spread_minutes)],
      slice(split(" ", schedule.cron), 1, 5),
    ))
  }
}

# A scheduled request is an ordinary message: it takes the same path as a person's.
resource "google_cloud_scheduler_job" "request" {
  for_each    = var.schedules
  project     = var.project_id
  region      = var.region
  name        = "${var.name}-request-${each.key}"
  description = "Requests a run of ${each.value.config}."
  schedule    = local.crons[each.key]
  time_zone   = each.value.time_zone
  paused      = each.value.paused

  pubsub_target {
    topic_name = google_pubsub_topic.requests.id
    data = base64encode(jsonencode(merge(
      { config_uri = "${google_storage_bucket.data.url}/${each.value.config}" },
      length(each.value.markets) == 0 ? {} : { markets = each.value.markets },
      { overrides = jsondecode(each.value.overrides) },
    )))
    attributes = {
      source = "scheduler/${each.key}"
    }
  }
  retry_config { # it goes on for longer than a new grant takes, in which publishing is denied
    retry_count          = 5
    min_backoff_duration = "60s"
    max_backoff_duration = "300s"
  }

  depends_on = [google_project_service.this]
}

# Reconcile settles what a dead process left open.
resource "google_cloud_scheduler_job" "reconcile" {
  project          = var.project_id
  region           = var.region
  name             = "${var.name}-reconcile"
  description      = "Settles the runs that are still open."
  schedule         = "*/5 * * * *"
  attempt_deadline = "320s"

  http_target {
    uri         = google_cloudfunctions2_function.this["reconcile"].service_config[0].uri
    http_method = "POST"
    oidc_token {
      service_account_email = google_service_account.push.email
      audience              = google_cloudfunctions2_function.this["reconcile"].service_config[0].uri
    }
  }

  depends_on = [google_cloud_run_v2_service_iam_member.push]
}
