# Secrets without values, because a value in Terraform would be in its state. Add each value with
# `gcloud secrets versions add NAME --data-file=-`.
resource "google_secret_manager_secret" "job" {
  for_each  = var.secrets
  project   = var.project_id
  secret_id = "${var.name}-${each.key}"
  labels    = local.labels

  replication {
    user_managed {
      replicas {
        location = var.region
        dynamic "customer_managed_encryption" {
          for_each = var.kms_key == null ? [] : [var.kms_key]
          content {
            kms_key_name = customer_managed_encryption.value
          }
        }
      }
    }
  }

  depends_on = [google_project_service.this]
}
