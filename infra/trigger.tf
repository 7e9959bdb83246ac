resource "google_cloudfunctions2_function" "trigger" {
  project     = var.project_id
  name        = "${var.name}-trigger"
  location    = var.region
  description = "Accepts a request, stores it once and starts the job."
  labels      = local.labels

  build_config {
    runtime           = var.trigger.runtime
    entry_point       = "on_message"
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
    available_memory                 = var.trigger.memory
    available_cpu                    = var.trigger.cpu
    timeout_seconds                  = var.trigger.timeout_seconds
    min_instance_count               = 0
    max_instance_count               = var.trigger.max_instances
    max_instance_request_concurrency = 8
    ingress_settings                 = "ALLOW_INTERNAL_ONLY" # Pub/Sub of the same project counts as internal
    all_traffic_on_latest_revision   = true
    service_account_email            = google_service_account.trigger.email
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
