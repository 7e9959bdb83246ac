# The second entry point of the same archive. It makes sure that every accepted run ends, even if a
# process died on the way.
resource "google_cloudfunctions2_function" "reconcile" {
  project     = var.project_id
  name        = "${var.name}-reconcile"
  location    = var.region
  description = "Ends runs whose execution died, launches waiting runs, and publishes stored events."
  labels      = local.labels

  build_config {
    runtime           = var.trigger.runtime
    entry_point       = "reconcile"
    service_account   = google_service_account.build.id
    docker_repository = google_artifact_registry_repository.images.id
    source {
      storage_source {
        bucket = google_storage_bucket.source.name
        object = google_storage_bucket_object.trigger.name
      }
    }
  }

  service_config {
    available_memory               = var.trigger.memory
    available_cpu                  = var.trigger.cpu
    timeout_seconds                = 300
    min_instance_count             = 0
    max_instance_count             = 1
    ingress_settings               = "ALLOW_INTERNAL_ONLY" # Cloud Scheduler of the same project counts as internal
    all_traffic_on_latest_revision = true
    service_account_email          = google_service_account.trigger.email
    environment_variables = merge(var.trigger.env, {
      MMM_BUCKET       = google_storage_bucket.data.url
      MMM_EVENTS_TOPIC = google_pubsub_topic.events.id
      MMM_JOB          = google_cloud_run_v2_job.train.id
    })
  }

  depends_on = [
    google_project_iam_member.build_logs,
    google_project_iam_member.build_source,
    google_artifact_registry_repository_iam_member.build,
    google_storage_bucket_iam_member.build_archive,
  ]
}

resource "google_cloud_scheduler_job" "reconcile" {
  project          = var.project_id
  region           = var.region
  name             = "${var.name}-reconcile"
  description      = "Settles the runs that are still open."
  schedule         = "*/5 * * * *"
  attempt_deadline = "320s"

  http_target {
    uri         = google_cloudfunctions2_function.reconcile.service_config[0].uri
    http_method = "POST"
    oidc_token {
      service_account_email = google_service_account.push.email
      audience              = google_cloudfunctions2_function.reconcile.service_config[0].uri
    }
  }

  depends_on = [google_project_service.this]
}

resource "google_cloud_run_v2_service_iam_member" "reconcile" {
  project  = var.project_id
  location = var.region
  name     = google_cloudfunctions2_function.reconcile.name
  role     = "roles/run.invoker"
  member   = google_service_account.push.member
}
