provider "google" {
  project = "my-project"
  region  = "europe-west1"
}

module "mmm" {
  source     = "../.."
  project_id = "my-project"
  region     = "europe-west1"

  bucket  = { name = "my-project-mmm" }
  trigger = { source_archive = "../../../build/trigger.zip" }

  job = {
    image  = "europe-west1-docker.pkg.dev/my-project/mmm/job@sha256:0000000000000000000000000000000000000000000000000000000000000000"
    cpu    = "4"
    memory = "8Gi"
    env = {
      SNOWFLAKE_ACCOUNT   = "myorg-myaccount"
      SNOWFLAKE_USER      = "MMM_TRAINER"
      SNOWFLAKE_ROLE      = "MMM_READER"
      SNOWFLAKE_WAREHOUSE = "MMM_WH"
    }
  }

  secrets = {
    snowflake-key = {
      file     = "/secrets/snowflake/key.p8"
      file_env = "SNOWFLAKE_PRIVATE_KEY_FILE"
    }
    snowflake-passphrase = { env = "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE", version = "1" }
  }

  schedules = {
    de = { config = "configs/de.yaml", cron = "0 2 * * *", time_zone = "Europe/Berlin" }
    fr = { config = "configs/fr.yaml", cron = "30 2 * * *", time_zone = "Europe/Paris" }
  }

  requests = { publishers = ["group:analysts@example.com"] }
  alerts   = { notification_channels = ["projects/my-project/notificationChannels/1234567890"] }
}

output "mmm" {
  value = module.mmm
}
