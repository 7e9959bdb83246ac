resource "google_pubsub_topic" "requests" {
  #checkov:skip=CKV_GCP_83:Encrypted with Google's keys unless var.kms_key names another; the deployer chooses.
  project      = var.project_id
  name         = "${var.name}-requests"
  kms_key_name = var.kms_key
  labels       = local.labels

  depends_on = [google_project_service.this]
}

resource "google_pubsub_topic" "dead_letters" {
  #checkov:skip=CKV_GCP_83:See the requests topic.
  project      = var.project_id
  name         = "${var.name}-requests-dead"
  kms_key_name = var.kms_key
  labels       = local.labels

  depends_on = [google_project_service.this]
}

resource "google_pubsub_topic" "events" {
  #checkov:skip=CKV_GCP_83:See the requests topic.
  project      = var.project_id
  name         = "${var.name}-events"
  kms_key_name = var.kms_key
  labels       = local.labels

  depends_on = [google_project_service.this]
}

# A push subscription instead of an Eventarc trigger, because its back-off, deadline and dead letters
# can be set. The path names the topic, so that the function knows where a message came from.
resource "google_pubsub_subscription" "requests" {
  project                    = var.project_id
  name                       = "${var.name}-requests"
  topic                      = google_pubsub_topic.requests.id
  ack_deadline_seconds       = var.requests.ack_deadline_seconds
  message_retention_duration = var.requests.retention
  labels                     = local.labels

  push_config {
    push_endpoint = "${google_cloudfunctions2_function.this["trigger"].service_config[0].uri}/${google_pubsub_topic.requests.id}"
    oidc_token {
      service_account_email = google_service_account.push.email
      audience              = google_cloudfunctions2_function.this["trigger"].service_config[0].uri
    }
  }
  retry_policy {
    minimum_backoff = var.requests.minimum_backoff
    maximum_backoff = var.requests.maximum_backoff
  }
  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead_letters.id
    max_delivery_attempts = var.requests.max_delivery_attempts
  }
  expiration_policy {
    ttl = "" # never
  }

  depends_on = [
    google_cloud_run_v2_service_iam_member.push,
    google_service_account_iam_member.push_token,
  ]
}

# A topic without a subscription keeps no messages. Operators read dead letters here, and may publish
# them again.
resource "google_pubsub_subscription" "dead_letters" {
  project                    = var.project_id
  name                       = "${var.name}-requests-dead"
  topic                      = google_pubsub_topic.dead_letters.id
  message_retention_duration = "604800s" # 7 days
  labels                     = local.labels

  expiration_policy {
    ttl = ""
  }
}
