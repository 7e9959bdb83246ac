# The console, if var.app is set: a Cloud Run service behind Identity-Aware Proxy. It reads the bucket,
# publishes requests and stops executions; it trains nothing. With no request, no instance runs.
locals {
  app = var.app == null ? {} : { this = var.app }

  app_env = var.app == null ? {} : merge(local.snowflake_identity, var.job.env, var.app.env, {
    MMM_BUCKET         = google_storage_bucket.data.url
    MMM_EVENTS_TOPIC   = google_pubsub_topic.events.id
    MMM_REQUESTS_TOPIC = google_pubsub_topic.requests.id
    MMM_JOB            = google_cloud_run_v2_job.train.id
    MMM_CPU            = var.job.cpu # of the job: a plan says what a run costs
    MMM_MEMORY         = var.job.memory
    MMM_REGION         = var.region
    MMM_APP_AUDIENCE   = "/projects/${local.project_number}/locations/${var.region}/services/${var.name}-console"
    MMM_APP_VIEWERS    = join(",", var.app.viewers)
    MMM_APP_EDITORS    = join(",", var.app.editors)
    MMM_APP_APPROVERS  = join(",", var.app.approvers)
    }, {
    for name, secret in local.secret_files : secret.file_env => secret.file if secret.file_env != null
    }, local.bigquery_project == null ? {} : {
    MMM_PROJECT = local.bigquery_project
  })

  # What a person's action writes: configs, drafts, uploads, decisions with the pointer that follows,
  # pauses, and the end of a run that is cancelled. No lease and no market: those are the job's.
  app_prefixes = [
    "config-versions/", "configs/", "decisions/", "drafts/", "fingerprints/", "paused/",
    "reconcile/", "robyn/", "runs/", "uploads/",
  ]
}

resource "google_service_account" "app" {
  for_each     = local.app
  project      = var.project_id
  account_id   = "${var.name}-console"
  display_name = "MMM Trainer: the console"

  depends_on = [google_project_service.this]
}

resource "google_cloud_run_v2_service" "app" {
  for_each            = local.app
  project             = var.project_id
  name                = "${var.name}-console"
  location            = var.region
  deletion_protection = false # the service has no state; the bucket has
  iap_enabled         = true
  labels              = local.labels

  template {
    labels                           = local.labels
    service_account                  = google_service_account.app["this"].email
    session_affinity                 = true    # a page's session is in one instance
    timeout                          = "3600s" # a page is one long request; then it connects and signs in again
    max_instance_request_concurrency = 40
    encryption_key                   = var.kms_key

    scaling {
      min_instance_count = 0
      max_instance_count = each.value.max_instances
    }

    containers {
      image = each.value.image
      resources {
        limits = {
          cpu    = each.value.cpu
          memory = each.value.memory
        }
        startup_cpu_boost = true
      }

      dynamic "env" {
        for_each = local.app_env
        content {
          name  = env.key
          value = env.value
        }
      }
      dynamic "env" {
        for_each = local.secret_env
        content {
          name = env.value.env
          value_source {
            secret_key_ref {
              secret  = google_secret_manager_secret.job[env.key].secret_id
              version = env.value.version
            }
          }
        }
      }
      dynamic "volume_mounts" {
        for_each = local.secret_files
        content {
          name       = volume_mounts.key
          mount_path = dirname(volume_mounts.value.file)
        }
      }
    }

    dynamic "volumes" {
      for_each = local.secret_files
      content {
        name = volumes.key
        secret {
          secret = google_secret_manager_secret.job[volumes.key].secret_id
          items {
            path    = basename(volumes.value.file)
            version = volumes.value.version
          }
        }
      }
    }

    dynamic "vpc_access" {
      for_each = var.job.vpc == null ? [] : [var.job.vpc]
      content {
        egress = vpc_access.value.egress
        network_interfaces {
          network    = vpc_access.value.network
          subnetwork = vpc_access.value.subnetwork
        }
      }
    }
  }

  depends_on = [
    google_project_service.this,
    time_sleep.grants,
  ]
}

# Who may pass the proxy; only the proxy may call the service.
resource "google_iap_web_cloud_run_service_iam_member" "app" {
  for_each               = var.app == null ? toset([]) : toset(var.app.members)
  project                = var.project_id
  location               = var.region
  cloud_run_service_name = google_cloud_run_v2_service.app["this"].name
  role                   = "roles/iap.httpsResourceAccessor"
  member                 = each.key
}

resource "google_cloud_run_v2_service_iam_member" "app" {
  for_each = local.app
  project  = var.project_id
  location = var.region
  name     = google_cloud_run_v2_service.app["this"].name
  role     = "roles/run.invoker"
  member   = "serviceAccount:service-${local.project_number}@gcp-sa-iap.iam.gserviceaccount.com"
}

# What the console may do.
resource "google_storage_bucket_iam_member" "app_read" {
  for_each = local.app
  bucket   = google_storage_bucket.data.name
  role     = "roles/storage.objectViewer"
  member   = google_service_account.app["this"].member
}

resource "google_storage_bucket_iam_member" "app_write" {
  for_each = local.app
  bucket   = google_storage_bucket.data.name
  role     = "roles/storage.objectUser"
  member   = google_service_account.app["this"].member
  condition {
    title       = "own-prefixes"
    description = "Objects below ${join(", ", local.app_prefixes)}."
    expression = join(" || ", [
      for prefix in local.app_prefixes :
      "resource.name.startsWith(\"projects/_/buckets/${google_storage_bucket.data.name}/objects/${prefix}\")"
    ])
  }
}

resource "google_pubsub_topic_iam_member" "app" {
  for_each = var.app == null ? {} : {
    events   = google_pubsub_topic.events.name
    requests = google_pubsub_topic.requests.name
  }
  project = var.project_id
  topic   = each.value
  role    = "roles/pubsub.publisher"
  member  = google_service_account.app["this"].member
}

resource "google_project_iam_custom_role" "canceller" {
  for_each    = local.app
  project     = var.project_id
  role_id     = "${replace(var.name, "-", "_")}_canceller"
  title       = "MMM Trainer canceller"
  description = "See and cancel the executions of a Cloud Run job; start none."
  permissions = [
    "run.executions.cancel",
    "run.executions.get",
    "run.executions.list",
    "run.tasks.list",
  ]

  depends_on = [google_project_service.this]
}

resource "google_cloud_run_v2_job_iam_member" "canceller" {
  for_each = local.app
  project  = var.project_id
  location = var.region
  name     = google_cloud_run_v2_job.train.name
  role     = google_project_iam_custom_role.canceller["this"].id
  member   = google_service_account.app["this"].member
}

resource "google_project_iam_custom_role" "schedule_reader" {
  for_each    = local.app
  project     = var.project_id
  role_id     = "${replace(var.name, "-", "_")}_schedule_reader"
  title       = "MMM Trainer schedule reader"
  description = "List the jobs of Cloud Scheduler, to show when each market runs next."
  permissions = ["cloudscheduler.jobs.list"]

  depends_on = [google_project_service.this]
}

resource "google_project_iam_member" "schedule_reader" {
  for_each = local.app
  project  = var.project_id
  role     = google_project_iam_custom_role.schedule_reader["this"].id
  member   = google_service_account.app["this"].member
}

resource "google_secret_manager_secret_iam_member" "app" {
  for_each  = var.app == null ? {} : google_secret_manager_secret.job
  project   = var.project_id
  secret_id = each.value.secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.app["this"].member
}

resource "google_project_iam_member" "app_bigquery" {
  for_each = toset(var.app == null || var.bigquery == null ? [] : ["roles/bigquery.jobUser", "roles/bigquery.readSessionUser"])
  project  = local.bigquery_project
  role     = each.key
  member   = google_service_account.app["this"].member
}

resource "google_bigquery_dataset_iam_member" "app" {
  for_each   = var.app == null || var.bigquery == null ? toset([]) : toset(var.bigquery.datasets)
  project    = split(".", each.key)[0]
  dataset_id = split(".", each.key)[1]
  role       = "roles/bigquery.dataViewer"
  member     = google_service_account.app["this"].member
}
