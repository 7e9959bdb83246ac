# The result tables in BigQuery, if var.results asks for them: external tables over the bucket, and
# views of promoted runs. `make docs` writes their definitions, those of `mmm export bigquery`, to
# bigquery.json. The tables hold no data, so they can be made again at any time.
locals {
  results         = var.results == null ? toset([]) : toset(["this"])
  results_tables  = { for name, table in local.results_source.external : name => table if var.results != null }
  results_views   = { for name, view in local.results_source.views : name => view if var.results != null }
  results_source  = jsondecode(file("${path.module}/bigquery.json"))
  results_readers = toset(var.results == null ? [] : var.results.readers)
  results_place   = try("${var.project_id}.${var.results.dataset}", "")
}

resource "google_bigquery_dataset" "results" {
  #checkov:skip=CKV_GCP_81:External tables and views hold no data; the bucket that they read has var.kms_key.
  for_each    = local.results
  project     = var.project_id
  dataset_id  = var.results.dataset
  description = "Result tables of MMM Trainer. The views show promoted runs only."
  location    = coalesce(var.bucket.location, var.region) # the bucket's: BigQuery reads no other
  labels      = local.labels

  depends_on = [google_project_service.this]
}

resource "google_bigquery_table" "external" {
  #checkov:skip=CKV_GCP_80:An external table holds no data; the bucket that it reads has var.kms_key.
  #checkov:skip=CKV_GCP_121:An external table holds no data; Terraform makes it again if its columns change.
  for_each            = local.results_tables
  project             = var.project_id
  dataset_id          = google_bigquery_dataset.results["this"].dataset_id
  table_id            = each.key
  deletion_protection = false
  labels              = local.labels

  external_data_configuration {
    autodetect            = false
    source_format         = each.value.format
    source_uris           = ["${google_storage_bucket.data.url}/${each.value.path}"]
    schema                = jsonencode(each.value.schema)
    ignore_unknown_values = each.value.format != "PARQUET"
    max_bad_records       = each.value.format == "PARQUET" ? 0 : local.results_source.max_bad_records

    dynamic "parquet_options" {
      for_each = each.value.format == "PARQUET" ? [true] : []
      content {
        enable_list_inference = true
      }
    }
  }
}

# `runs` first: the other views read it.
resource "google_bigquery_table" "runs" {
  #checkov:skip=CKV_GCP_80:A view holds no data.
  #checkov:skip=CKV_GCP_121:A view holds no data; Terraform makes it again.
  for_each            = { for name, view in local.results_views : name => view if name == "runs" }
  project             = var.project_id
  dataset_id          = google_bigquery_dataset.results["this"].dataset_id
  table_id            = each.key
  description         = each.value.description
  deletion_protection = false
  labels              = local.labels

  view {
    query          = replace(each.value.sql, "{dataset}", local.results_place)
    use_legacy_sql = false
  }

  depends_on = [google_bigquery_table.external]
}

resource "google_bigquery_table" "view" {
  #checkov:skip=CKV_GCP_80:A view holds no data.
  #checkov:skip=CKV_GCP_121:A view holds no data; Terraform makes it again.
  for_each            = { for name, view in local.results_views : name => view if name != "runs" }
  project             = var.project_id
  dataset_id          = google_bigquery_dataset.results["this"].dataset_id
  table_id            = each.key
  description         = each.value.description
  deletion_protection = false
  labels              = local.labels

  view {
    query          = replace(each.value.sql, "{dataset}", local.results_place)
    use_legacy_sql = false
  }

  depends_on = [google_bigquery_table.runs]
}

# A query of an external table reads the bucket as the person who queries, so readers need both roles.
# Neither job nor function gets a role here.
resource "google_bigquery_dataset_iam_member" "results" {
  for_each   = local.results_readers
  project    = var.project_id
  dataset_id = google_bigquery_dataset.results["this"].dataset_id
  role       = "roles/bigquery.dataViewer"
  member     = each.key
}

resource "google_storage_bucket_iam_member" "results" {
  for_each = local.results_readers
  bucket   = google_storage_bucket.data.name
  role     = "roles/storage.objectViewer"
  member   = each.key
}
