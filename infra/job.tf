locals {
  secret_files = { for name, secret in var.secrets : name => secret if secret.file != null }
  secret_env   = { for name, secret in var.secrets : name => secret if secret.env != null }

  # Without a secret for Snowflake, the job signs in as its service account.
  snowflake_secrets  = [for s in values(var.secrets) : s if startswith(coalesce(s.env, s.file_env, "-"), "SNOWFLAKE_")]
  snowflake_identity = length(local.snowflake_secrets) > 0 ? {} : { SNOWFLAKE_AUTHENTICATOR = "WORKLOAD_IDENTITY" }

  job_env = merge(local.snowflake_identity, var.job.env, {
    MMM_BUCKET       = google_storage_bucket.data.url
    MMM_EVENTS_TOPIC = google_pubsub_topic.events.id
    MMM_IMAGE        = var.job.image
    MMM_MAX_RETRIES  = tostring(var.job.max_retries)
    MMM_CPU          = var.job.cpu # CPU, memory and region determine the price of a run
    MMM_MEMORY       = var.job.memory
    MMM_REGION       = var.region
    }, {
    for name, secret in local.secret_files : secret.file_env => secret.file if secret.file_env != null
    }, local.bigquery_project == null ? {} : {
    MMM_PROJECT = local.bigquery_project # pays for queries
  })
}

resource "google_cloud_run_v2_job" "train" {
  project             = var.project_id
  name                = "${var.name}-train"
  location            = var.region
  deletion_protection = false # the job has no state; the bucket has
  labels              = local.labels

  dynamic "binary_authorization" {
    for_each = var.job.binary_authorization ? [true] : []
    content {
      use_default = true # the policy of the project
    }
  }

  template {
    labels      = local.labels
    parallelism = var.job.parallelism

    template {
      service_account = google_service_account.job.email
      timeout         = "${var.job.timeout_seconds}s"
      max_retries     = var.job.max_retries
      encryption_key  = var.kms_key

      containers {
        image = var.job.image
        resources {
          limits = {
            cpu    = var.job.cpu
            memory = var.job.memory
          }
        }

        dynamic "env" {
          for_each = local.job_env
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
  }

  depends_on = [
    google_project_service.this,
    time_sleep.grants,
  ]
}
