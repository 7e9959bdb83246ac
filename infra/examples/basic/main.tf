terraform {
  required_version = ">= 1.5"
  # The bucket of the state; `terraform init -backend-config=bucket=NAME` names it.
  backend "gcs" {
    prefix = "mmm"
  }
}

provider "google" {
  project = var.project_id
  region  = var.region
}

module "mmm" {
  # Where this folder is copied to: git::URL//infra?ref=TAG, with the repository's URL and a tag or commit.
  source     = "../.."
  project_id = var.project_id
  region     = var.region

  bucket  = { name = "${var.project_id}-mmm" }
  trigger = { source_archive = "${path.module}/trigger.zip" }

  job = {
    image  = var.image
    cpu    = "4"
    memory = "8Gi"
    env = {
      SNOWFLAKE_ACCOUNT   = "myorg-myaccount"
      SNOWFLAKE_ROLE      = "MMM_READER"
      SNOWFLAKE_WAREHOUSE = "MMM_WH"
    }
  }

  schedules = {
    de = { config = "configs/de.yaml", cron = "0 2 * * *", time_zone = "Europe/Berlin" }
    fr = { config = "configs/fr.yaml", cron = "30 2 * * *", time_zone = "Europe/Paris" }
  }

  requests = { publishers = ["group:analysts@example.com"] }
  alerts   = { notification_channels = var.notification_channels }
}

variable "project_id" {
  description = "The Google Cloud project."
  type        = string
}

variable "region" {
  description = "Region of all resources."
  type        = string
  default     = "europe-west1"
}

variable "image" {
  description = "The job's image by its digest. The default names none; it serves until an image is built."
  type        = string
  default     = "europe-west1-docker.pkg.dev/none/mmm/job@sha256:0000000000000000000000000000000000000000000000000000000000000000"
}

variable "notification_channels" {
  description = "Channels of the alerts: projects/P/notificationChannels/N. Without one, alerts are only in the console."
  type        = list(string)
  default     = []
}

output "mmm" {
  value = module.mmm
}
