# MMM Trainer on Google Cloud: requests topic -> function -> Cloud Run job -> bucket, events topic.

data "google_project" "this" {
  project_id = var.project_id
}

locals {
  labels           = merge({ app = "mmm-trainer" }, var.labels)
  bigquery_project = try(coalesce(var.bigquery.job_project, var.project_id), null)
  project_number   = data.google_project.this.number
  pubsub_agent     = "serviceAccount:service-${local.project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"

  services = toset(concat([
    "artifactregistry.googleapis.com",
    "cloudbuild.googleapis.com",
    "cloudfunctions.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "cloudscheduler.googleapis.com",
    "iam.googleapis.com",
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "pubsub.googleapis.com",
    "run.googleapis.com",
    "secretmanager.googleapis.com",
    "storage.googleapis.com",
    ], var.budget == null ? [] : ["billingbudgets.googleapis.com"],
    var.job.binary_authorization ? ["binaryauthorization.googleapis.com"] : [],
    var.bigquery == null ? [] : ["bigquery.googleapis.com", "bigquerystorage.googleapis.com"],
    var.results == null ? [] : ["bigquery.googleapis.com"],
  var.app == null ? [] : ["cloudidentity.googleapis.com", "iap.googleapis.com"]))
}

resource "google_project_service" "this" {
  for_each           = var.enable_services ? local.services : toset([])
  project            = var.project_id
  service            = each.key
  disable_on_destroy = false
}

# Images of the job and of the function. Create the repository first: the job needs an image.
resource "google_artifact_registry_repository" "images" {
  #checkov:skip=CKV_GCP_84:Encrypted with Google's keys unless var.kms_key names another; the deployer chooses.
  project       = var.project_id
  location      = var.region
  repository_id = var.name
  description   = "Images of MMM Trainer."
  format        = "DOCKER"
  kms_key_name  = var.kms_key
  labels        = local.labels

  cleanup_policies {
    id     = "keep-recent"
    action = "KEEP"
    most_recent_versions {
      keep_count = 10
    }
  }
  # The image in use may be older than both limits. Every deployment moves the tag to its image.
  cleanup_policies {
    id     = "keep-deployed"
    action = "KEEP"
    condition {
      tag_state    = "TAGGED"
      tag_prefixes = ["deployed"]
    }
  }
  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"
    condition {
      older_than = "7776000s" # 90 days
    }
  }

  depends_on = [google_project_service.this]
}
