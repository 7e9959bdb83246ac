output "app" {
  description = "The console: its address, and its service account with the unique id that Snowflake's workload identity needs; null without var.app."
  value = var.app == null ? null : {
    url               = google_cloud_run_v2_service.app["this"].uri
    service_account   = google_service_account.app["this"].email
    snowflake_subject = google_service_account.app["this"].unique_id
  }
}

output "bucket" {
  description = "URL of the bucket of configs, runs and artifacts."
  value       = google_storage_bucket.data.url
}

output "events_topic" {
  description = "Topic of the events of all runs."
  value       = google_pubsub_topic.events.id
}

output "image_repository" {
  description = "Repository to push the job's image to."
  value       = "${google_artifact_registry_repository.images.location}-docker.pkg.dev/${var.project_id}/${google_artifact_registry_repository.images.repository_id}"
}

output "job" {
  description = "The Cloud Run job."
  value       = google_cloud_run_v2_job.train.id
}

output "requests_topic" {
  description = "Topic to publish requests to."
  value       = google_pubsub_topic.requests.id
}

output "secrets" {
  description = "Secrets that need a value, by their names in var.secrets."
  value       = { for name, secret in google_secret_manager_secret.job : name => secret.secret_id }
}

output "service_accounts" {
  description = "E-mail addresses of the service accounts."
  value = {
    build   = google_service_account.build.email
    job     = google_service_account.job.email
    push    = google_service_account.push.email
    trigger = google_service_account.trigger.email
  }
}

output "snowflake_subject" {
  description = "Unique id of the job's service account: the subject of the Snowflake user's workload identity."
  value       = google_service_account.job.unique_id
}

output "trigger_url" {
  description = "Address of the function; only Pub/Sub may call it."
  value       = google_cloudfunctions2_function.this["trigger"].service_config[0].uri
}
