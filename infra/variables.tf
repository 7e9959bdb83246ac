variable "alerts" {
  description = "Alert policies and who hears of them: IDs of notification channels (projects/P/notificationChannels/N)."
  type = object({
    enabled               = optional(bool, true)
    notification_channels = optional(list(string), [])
  })
  default  = {}
  nullable = false
}

variable "bigquery" {
  description = "Set it only if a market's source is BigQuery: the project that pays for the queries and the datasets (PROJECT.DATASET) that the job may read."
  type = object({
    job_project = optional(string)
    datasets    = optional(list(string), [])
  })
  default = null
}

variable "bucket" {
  description = "The bucket of configs, runs and artifacts. Work files (extracts, trial checkpoints) and old versions are removed after the given days."
  type = object({
    name                 = string
    location             = optional(string)
    force_destroy        = optional(bool, false)
    work_days            = optional(number, 14)
    rejected_days        = optional(number, 90)
    old_version_days     = optional(number, 30)
    old_run_version_days = optional(number, 1)
    log_bucket           = optional(string)
  })
  nullable = false
}

variable "enable_services" {
  description = "Enable the Google APIs that are used here. Set to false where somebody else does."
  type        = bool
  default     = true
  nullable    = false
}

variable "job" {
  description = "The Cloud Run job. `image` by digest (HOST/PROJECT/REPOSITORY/NAME@sha256:...). `env` is for settings that are no secrets, as SNOWFLAKE_ACCOUNT."
  type = object({
    image           = string
    cpu             = optional(string, "4")
    memory          = optional(string, "8Gi")
    timeout_seconds = optional(number, 7200)
    max_retries     = optional(number, 1)
    parallelism     = optional(number, 0)
    env             = optional(map(string), {})
    vpc = optional(object({
      network    = optional(string)
      subnetwork = string
      egress     = optional(string, "PRIVATE_RANGES_ONLY")
    }))
  })
  nullable = false
  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.job.image))
    error_message = "job.image must name the image by its digest: HOST/PROJECT/REPOSITORY/NAME@sha256:<64 hex>."
  }
  validation {
    condition     = var.job.timeout_seconds >= 300 && var.job.timeout_seconds <= 604800
    error_message = "job.timeout_seconds must be between 300 (5 minutes) and 604800 (7 days)."
  }
  validation {
    condition     = var.job.max_retries >= 0 && var.job.max_retries <= 10
    error_message = "job.max_retries must be between 0 and 10."
  }
}

variable "kms_key" {
  description = "Cloud KMS key (projects/P/locations/L/keyRings/R/cryptoKeys/K) for bucket, topics, secrets and images; Google's own keys where null. The service agents need roles/cloudkms.cryptoKeyEncrypterDecrypter on it."
  type        = string
  default     = null
}

variable "labels" {
  description = "Labels of every resource that takes labels."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "name" {
  description = "Name of the installation: the prefix of topics, job, function and service accounts."
  type        = string
  default     = "mmm"
  nullable    = false
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 20 lower-case letters, digits and hyphens, and begin with a letter."
  }
}

variable "project_id" {
  description = "The Google Cloud project."
  type        = string
  nullable    = false
}

variable "region" {
  description = "Region of function, job, scheduler and, unless bucket.location says otherwise, bucket."
  type        = string
  default     = "europe-west1"
  nullable    = false
}

variable "requests" {
  description = "Who may publish requests (IAM members), and how a request is delivered to the function."
  type = object({
    publishers            = optional(list(string), [])
    ack_deadline_seconds  = optional(number, 120)
    minimum_backoff       = optional(string, "10s")
    maximum_backoff       = optional(string, "600s")
    max_delivery_attempts = optional(number, 10)
    retention             = optional(string, "172800s") # 2 days, as old as the function accepts
  })
  default  = {}
  nullable = false
}

variable "schedules" {
  description = "One request per entry and time: `config` is an object of the bucket (configs/de.yaml), `cron` and `time_zone` say when; `markets` makes one run each, `overrides` is JSON text of config fields that win over the file's."
  type = map(object({
    config    = string
    cron      = string
    time_zone = optional(string, "Etc/UTC")
    markets   = optional(list(string), [])
    overrides = optional(string, "{}")
    paused    = optional(bool, false)
  }))
  default  = {}
  nullable = false
  validation {
    condition     = alltrue([for s in values(var.schedules) : can(keys(jsondecode(s.overrides)))])
    error_message = "`overrides` must be the JSON text of an object, as {\"training\": {\"seed\": 7}}."
  }
}

variable "secrets" {
  description = "Secrets of the job by name: only the containers are made here, the values are added by hand. `env` names the environment variable that holds the value, or `file` the path where it is mounted (its folder holds nothing else) and `file_env` the variable that holds this path."
  type = map(object({
    env      = optional(string)
    file     = optional(string)
    file_env = optional(string)
    version  = optional(string, "latest")
  }))
  default  = {}
  nullable = false
  validation {
    condition     = alltrue([for s in values(var.secrets) : (s.env == null) != (s.file == null)])
    error_message = "Each secret needs exactly one of `env` and `file`."
  }
  validation {
    condition     = alltrue([for s in values(var.secrets) : s.file == null || can(regex("^/[^/]+.*/[^/]+$", s.file))])
    error_message = "`file` must be an absolute path with a folder, as /secrets/snowflake/key.p8."
  }
}

variable "trigger" {
  description = "The Cloud Function. `source_archive` is the zip that `make trigger-archive` builds; `env` may set MMM_MAX_MESSAGE_AGE_HOURS (48); older messages are refused."
  type = object({
    source_archive  = string
    runtime         = optional(string, "python311")
    memory          = optional(string, "512Mi")
    cpu             = optional(string, "1")
    timeout_seconds = optional(number, 60)
    max_instances   = optional(number, 3)
    env             = optional(map(string), {})
  })
  nullable = false
}
