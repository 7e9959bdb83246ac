# Four service accounts. Each has only the permissions that its part needs. Roles are bound to the
# single bucket, topic, job or secret wherever Google Cloud allows it.

resource "google_service_account" "trigger" {
  project      = var.project_id
  account_id   = "${var.name}-trigger"
  display_name = "MMM Trainer: the function that accepts requests"

  depends_on = [google_project_service.this]
}

resource "google_service_account" "job" {
  project      = var.project_id
  account_id   = "${var.name}-job"
  display_name = "MMM Trainer: the job that trains"

  depends_on = [google_project_service.this]
}

resource "google_service_account" "push" {
  project      = var.project_id
  account_id   = "${var.name}-push"
  display_name = "MMM Trainer: the identity that Pub/Sub calls the function with"

  depends_on = [google_project_service.this]
}

resource "google_service_account" "build" {
  project      = var.project_id
  account_id   = "${var.name}-build"
  display_name = "MMM Trainer: the build of the function"

  depends_on = [google_project_service.this]
}

# Bucket: function and job read everything. Each writes only below its own prefixes, so neither can
# change a config. Overwriting an object needs the permission to delete it.
locals {
  readers = {
    trigger = google_service_account.trigger.member
    job     = google_service_account.job.member
  }
  writers = {
    trigger = { member = google_service_account.trigger.member, prefixes = ["keys/", "reconcile/", "rejected/", "robyn/index.html", "runs/"] }
    job     = { member = google_service_account.job.member, prefixes = ["decisions/", "fingerprints/", "keys/", "limits/", "markets/", "rejected/", "robyn/", "runs/"] }
  }
}

resource "google_storage_bucket_iam_member" "read" {
  for_each = local.readers
  bucket   = google_storage_bucket.data.name
  role     = "roles/storage.objectViewer"
  member   = each.value
}

resource "google_storage_bucket_iam_member" "write" {
  for_each = local.writers
  bucket   = google_storage_bucket.data.name
  role     = "roles/storage.objectUser"
  member   = each.value.member
  condition {
    title       = "own-prefixes"
    description = "Objects below ${join(", ", each.value.prefixes)}."
    expression = join(" || ", [
      for prefix in each.value.prefixes :
      "resource.name.startsWith(\"projects/_/buckets/${google_storage_bucket.data.name}/objects/${prefix}\")"
    ])
  }
}

# Topics: who may publish.
resource "google_pubsub_topic_iam_member" "events" {
  for_each = local.readers
  project  = var.project_id
  topic    = google_pubsub_topic.events.name
  role     = "roles/pubsub.publisher"
  member   = each.value
}

resource "google_pubsub_topic_iam_member" "requests" {
  for_each = toset(var.requests.publishers)
  project  = var.project_id
  topic    = google_pubsub_topic.requests.name
  role     = "roles/pubsub.publisher"
  member   = each.key
}

# Pub/Sub's service agent: forwards dead letters and signs in to the function as `push`.
resource "google_pubsub_topic_iam_member" "dead_letters" {
  project = var.project_id
  topic   = google_pubsub_topic.dead_letters.name
  role    = "roles/pubsub.publisher"
  member  = local.pubsub_agent
}

resource "google_pubsub_subscription_iam_member" "dead_letters" {
  project      = var.project_id
  subscription = google_pubsub_subscription.requests.name
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}

resource "google_service_account_iam_member" "push_token" {
  service_account_id = google_service_account.push.name
  role               = "roles/iam.serviceAccountOpenIdTokenCreator"
  member             = local.pubsub_agent
}

resource "google_cloud_run_v2_service_iam_member" "push" {
  for_each = google_cloudfunctions2_function.this
  project  = var.project_id
  location = var.region
  name     = each.value.name
  role     = "roles/run.invoker"
  member   = google_service_account.push.member
}

# Job: the function starts it with overrides and monitors its executions, but may not change it.
resource "google_project_iam_custom_role" "launcher" {
  project     = var.project_id
  role_id     = "${replace(var.name, "-", "_")}_launcher"
  title       = "MMM Trainer launcher"
  description = "Start a Cloud Run job with overrides, see and cancel its executions."
  permissions = [
    "run.executions.cancel",
    "run.executions.get",
    "run.executions.list",
    "run.jobs.run",
    "run.jobs.runWithOverrides",
    "run.tasks.list",
  ]

  depends_on = [google_project_service.this]
}

resource "google_cloud_run_v2_job_iam_member" "launcher" {
  project  = var.project_id
  location = var.region
  name     = google_cloud_run_v2_job.train.name
  role     = google_project_iam_custom_role.launcher.id
  member   = google_service_account.trigger.member
}

resource "google_secret_manager_secret_iam_member" "job" {
  for_each  = google_secret_manager_secret.job
  project   = var.project_id
  secret_id = each.value.secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.job.member
}

# BigQuery: only if a market's source is there. One role is for queries, the other for the Storage
# Read API, which returns their results.
resource "google_project_iam_member" "bigquery" {
  for_each = toset(var.bigquery == null ? [] : ["roles/bigquery.jobUser", "roles/bigquery.readSessionUser"])
  project  = local.bigquery_project
  role     = each.key
  member   = google_service_account.job.member
}

resource "google_bigquery_dataset_iam_member" "read" {
  for_each   = var.bigquery == null ? toset([]) : toset(var.bigquery.datasets)
  project    = split(".", each.key)[0]
  dataset_id = split(".", each.key)[1]
  role       = "roles/bigquery.dataViewer"
  member     = google_service_account.job.member
}

# Build of the function: logs, the uploaded source, the image.
resource "google_project_iam_member" "build_logs" {
  project = var.project_id
  role    = "roles/logging.logWriter"
  member  = google_service_account.build.member
}

# Cloud Functions copies the archive into its own bucket, which does not exist before the first build.
resource "google_project_iam_member" "build_source" {
  project = var.project_id
  role    = "roles/storage.objectViewer"
  member  = google_service_account.build.member
  condition {
    title      = "function-sources"
    expression = "resource.name.startsWith(\"projects/_/buckets/gcf-v2-sources-${local.project_number}-\")"
  }
}

resource "google_storage_bucket_iam_member" "build_archive" {
  bucket = google_storage_bucket.source.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.build.member
}

resource "google_artifact_registry_repository_iam_member" "build" {
  project    = var.project_id
  location   = google_artifact_registry_repository.images.location
  repository = google_artifact_registry_repository.images.name
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.build.member
}

# A new grant takes a few minutes to come into force. Builds and the check of the secrets of job and console
# are not repeated, so they wait for it. Deliveries, runs and passes of reconcile repeat what is refused.
resource "time_sleep" "grants" {
  create_duration = "180s"
  triggers = {
    build   = google_service_account.build.unique_id
    job     = google_service_account.job.unique_id
    app     = join(",", [for account in google_service_account.app : account.unique_id])
    secrets = join(",", sort(keys(var.secrets)))
  }

  depends_on = [
    google_artifact_registry_repository_iam_member.build,
    google_project_iam_member.build_logs,
    google_project_iam_member.build_source,
    google_secret_manager_secret_iam_member.app,
    google_secret_manager_secret_iam_member.job,
    google_storage_bucket_iam_member.build_archive,
  ]
}
