# Two entry points of one archive: `trigger` accepts requests, `reconcile` makes sure that every accepted
# run ends, even if a process died on the way.
locals {
  threads = 8 # requests at once in an instance; each has a thread of the server

  functions = {
    trigger = {
      entry_point     = "on_message"
      description     = "Accepts a request, stores it once and starts the job."
      timeout_seconds = var.trigger.timeout_seconds
      max_instances   = var.trigger.max_instances
    }
    reconcile = {
      entry_point     = "reconcile"
      description     = "Ends runs whose execution died, launches waiting runs, and publishes stored events."
      timeout_seconds = 300
      max_instances   = 1
    }
  }

  function_names = { for key in keys(local.functions) : key => "${var.name}-${key}" }
}

resource "google_cloudfunctions2_function" "this" {
  for_each     = local.functions
  project      = var.project_id
  name         = local.function_names[each.key]
  location     = var.region
  description  = each.value.description
  kms_key_name = var.kms_key
  labels       = local.labels

  build_config {
    runtime           = var.trigger.runtime
    entry_point       = each.value.entry_point
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
    timeout_seconds                  = each.value.timeout_seconds
    min_instance_count               = 0
    max_instance_count               = each.value.max_instances
    max_instance_request_concurrency = local.threads
    ingress_settings                 = "ALLOW_INTERNAL_ONLY" # Pub/Sub and Cloud Scheduler of the same project count as internal
    all_traffic_on_latest_revision   = true
    service_account_email            = google_service_account.trigger.email
    environment_variables = merge(var.trigger.env, {
      MMM_BUCKET       = google_storage_bucket.data.url
      MMM_EVENTS_TOPIC = google_pubsub_topic.events.id
      MMM_JOB          = google_cloud_run_v2_job.train.id
      THREADS          = tostring(local.threads) # of functions-framework; its default is 4 for each vCPU
    })
  }

  depends_on = [time_sleep.grants]
}

moved {
  from = google_cloudfunctions2_function.trigger
  to   = google_cloudfunctions2_function.this["trigger"]
}

moved {
  from = google_cloudfunctions2_function.reconcile
  to   = google_cloudfunctions2_function.this["reconcile"]
}

moved {
  from = google_cloud_run_v2_service_iam_member.push
  to   = google_cloud_run_v2_service_iam_member.push["trigger"]
}

moved {
  from = google_cloud_run_v2_service_iam_member.reconcile
  to   = google_cloud_run_v2_service_iam_member.push["reconcile"]
}
