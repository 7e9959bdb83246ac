# `terraform init -backend=false && terraform test`, in `infra`. The providers are mocked: nothing is created,
# and no project or credentials are needed. Only the provider's schema is used.

mock_provider "google" {
  mock_data "google_project" {
    defaults = {
      number = "123456789012"
    }
  }
  mock_resource "google_service_account" {
    defaults = {
      email     = "mmm@my-project.iam.gserviceaccount.com"
      member    = "serviceAccount:mmm@my-project.iam.gserviceaccount.com"
      name      = "projects/my-project/serviceAccounts/mmm@my-project.iam.gserviceaccount.com"
      unique_id = "113000000000000000042"
    }
  }
  mock_resource "google_storage_bucket" {
    defaults = {
      url = "gs://my-project-mmm"
    }
  }
  mock_resource "google_pubsub_topic" {
    defaults = {
      id = "projects/my-project/topics/mmm"
    }
  }
  mock_resource "google_cloudfunctions2_function" {
    defaults = {
      service_config = {
        uri = "https://mmm-trigger.a.run.app"
      }
    }
  }
}

mock_provider "time" {}

variables {
  project_id = "my-project"
  bucket     = { name = "my-project-mmm" }
  trigger    = { source_archive = "versions.tf" } # any file: only its hash is used
  job        = { image = "europe-west1-docker.pkg.dev/my-project/mmm/job@sha256:0000000000000000000000000000000000000000000000000000000000000000" }
}

run "defaults" {
  assert {
    condition     = length(google_cloudfunctions2_function.this) == 2
    error_message = "The functions must be trigger and reconcile."
  }
  assert {
    condition     = google_pubsub_subscription.requests.dead_letter_policy[0].max_delivery_attempts == 10
    error_message = "A request must be delivered ten times before it is a dead letter."
  }
  assert {
    condition     = google_storage_bucket.data.public_access_prevention == "enforced" && google_storage_bucket.data.uniform_bucket_level_access
    error_message = "The bucket must not be public."
  }
  assert {
    condition     = length(google_cloud_run_v2_job.train.binary_authorization) == 0
    error_message = "Binary Authorization must be off unless it is asked for."
  }
  assert {
    condition     = length(google_billing_budget.this) == 0
    error_message = "There must be no budget unless it is asked for."
  }
  assert {
    condition     = anytrue([for entry in google_cloud_run_v2_job.train.template[0].template[0].containers[0].env : entry.name == "SNOWFLAKE_AUTHENTICATOR"])
    error_message = "Without a secret, the job must sign in to Snowflake as its service account."
  }
}

run "schedules" {
  variables {
    schedules = {
      de = { config = "configs/de.yaml", cron = "15 2 * * 1-5", spread_minutes = 45 }
      fr = { config = "configs/fr.yaml", cron = "0 3 * * *", markets = ["FR", "BE"], paused = true }
    }
  }
  assert {
    condition     = google_cloud_scheduler_job.request["fr"].schedule == "0 3 * * *" && google_cloud_scheduler_job.request["fr"].paused
    error_message = "A schedule without a spread must keep its times."
  }
  assert {
    condition     = can(regex("^(1[5-9]|[2-5][0-9]) 2 [*] [*] 1-5$", google_cloud_scheduler_job.request["de"].schedule))
    error_message = "A schedule with a spread must stay within its hour."
  }
  assert {
    condition     = jsondecode(base64decode(google_cloud_scheduler_job.request["fr"].pubsub_target[0].data)).markets == ["FR", "BE"]
    error_message = "A schedule for many markets must name them in its message."
  }
}

run "binary_authorization_and_budget" {
  variables {
    job = {
      image                = "europe-west1-docker.pkg.dev/my-project/mmm/job@sha256:0000000000000000000000000000000000000000000000000000000000000000"
      binary_authorization = true
    }
    budget = { billing_account = "000000-AAAAAA-000000", amount = 200, currency = "EUR" }
    alerts = { notification_channels = ["projects/my-project/notificationChannels/1"] }
  }
  assert {
    condition     = google_cloud_run_v2_job.train.binary_authorization[0].use_default
    error_message = "The job must use the project's policy."
  }
  assert {
    condition     = length(google_billing_budget.this[0].threshold_rules) == 3
    error_message = "The budget must alert at three shares."
  }
  assert {
    condition     = contains(keys(google_project_service.this), "billingbudgets.googleapis.com") && contains(keys(google_project_service.this), "binaryauthorization.googleapis.com")
    error_message = "Both APIs must be enabled."
  }
}

run "an_image_without_its_digest_is_refused" {
  command = plan
  variables {
    job = { image = "europe-west1-docker.pkg.dev/my-project/mmm/job:latest" }
  }
  expect_failures = [var.job]
}

run "a_spread_beyond_the_hour_is_refused" {
  command = plan
  variables {
    schedules = { de = { config = "configs/de.yaml", cron = "30 2 * * *", spread_minutes = 45 } }
  }
  expect_failures = [var.schedules]
}
