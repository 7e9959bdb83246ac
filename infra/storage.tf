resource "google_storage_bucket" "data" {
  #checkov:skip=CKV_GCP_62:Cloud Audit Logs record access; var.bucket.log_bucket adds usage logs if needed.
  project                     = var.project_id
  name                        = var.bucket.name
  location                    = coalesce(var.bucket.location, var.region)
  force_destroy               = var.bucket.force_destroy
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  labels                      = local.labels

  # Versions can restore an overwritten config or current.json. Soft delete would also keep every
  # heartbeat of every run for a week.
  versioning {
    enabled = true
  }
  soft_delete_policy {
    retention_duration_seconds = 0
  }

  # runs/<run id>/work/: lifecycle rules support prefixes and suffixes, but no wildcards. No other
  # object below runs/ has these suffixes.
  lifecycle_rule {
    condition {
      age            = var.bucket.work_days
      matches_prefix = ["runs/"]
      matches_suffix = [".parquet", ".rds", ".npz", "/work/go.json", "/work/merge.json"]
    }
    action {
      type = "Delete"
    }
  }
  lifecycle_rule {
    condition {
      age            = var.bucket.rejected_days
      matches_prefix = ["rejected/"]
    }
    action {
      type = "Delete"
    }
  }
  lifecycle_rule {
    condition {
      age            = 90
      matches_prefix = ["drafts/"] # configs that somebody began and left
    }
    action {
      type = "Delete"
    }
  }
  lifecycle_rule {
    condition {
      days_since_noncurrent_time = var.bucket.old_run_version_days
      matches_prefix             = ["runs/", "reconcile/", "markets/", "limits/"] # rewritten all the time
    }
    action {
      type = "Delete"
    }
  }
  lifecycle_rule {
    condition {
      days_since_noncurrent_time = var.bucket.old_version_days
    }
    action {
      type = "Delete"
    }
  }
  lifecycle_rule {
    condition {
      age = 1
    }
    action {
      type = "AbortIncompleteMultipartUpload"
    }
  }

  dynamic "encryption" {
    for_each = var.kms_key == null ? [] : [var.kms_key]
    content {
      default_kms_key_name = encryption.value
    }
  }
  dynamic "logging" {
    for_each = var.bucket.log_bucket == null ? [] : [var.bucket.log_bucket]
    content {
      log_bucket        = logging.value
      log_object_prefix = var.bucket.name
    }
  }

  depends_on = [google_project_service.this]
}

# The function's source has its own bucket: an account that may write runs must not change code.
resource "google_storage_bucket" "source" {
  #checkov:skip=CKV_GCP_62:Contains only the function's source archive.
  project                     = var.project_id
  name                        = "${var.bucket.name}-source"
  location                    = coalesce(var.bucket.location, var.region)
  force_destroy               = true
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  labels                      = local.labels

  dynamic "encryption" {
    for_each = var.kms_key == null ? [] : [var.kms_key]
    content {
      default_kms_key_name = encryption.value
    }
  }
  versioning {
    enabled = true
  }
  lifecycle_rule {
    condition {
      num_newer_versions = 5
    }
    action {
      type = "Delete"
    }
  }

  depends_on = [google_project_service.this]
}

resource "google_storage_bucket_object" "trigger" {
  name   = "trigger-${filesha256(var.trigger.source_archive)}.zip"
  bucket = google_storage_bucket.source.name
  source = var.trigger.source_archive
}
