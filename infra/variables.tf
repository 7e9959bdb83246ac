variable "alerts" {
  description = "Alert policies and the IDs of their notification channels (projects/P/notificationChannels/N)."
  type = object({
    enabled               = optional(bool, true)
    notification_channels = optional(list(string), [])
  })
  default  = {}
  nullable = false
}

variable "app" {
  description = "Set it for the console in a browser. `image` names it by its digest. `members` are the IAM members (user:, group:, domain:) that Identity-Aware Proxy lets in. `approvers`, `editors` and `viewers` are addresses, domains (@example.com) and groups (group:NAME@example.com); without viewers, everybody who is let in may look. `env` has settings that differ from the job's, such as SNOWFLAKE_USER."
  type = object({
    image         = string
    members       = optional(list(string), [])
    approvers     = optional(list(string), [])
    editors       = optional(list(string), [])
    viewers       = optional(list(string), [])
    cpu           = optional(string, "1")
    memory        = optional(string, "2Gi")
    max_instances = optional(number, 2)
    env           = optional(map(string), {})
  })
  default = null
  validation {
    condition     = var.app == null || can(regex("@sha256:[0-9a-f]{64}$", var.app.image))
    error_message = "app.image must name the image by its digest: HOST/PROJECT/REPOSITORY/NAME@sha256:<64 hex>."
  }
  validation {
    condition     = var.app == null || try(var.app.max_instances >= 1 && var.app.max_instances <= 10, false)
    error_message = "app.max_instances must be between 1 and 10."
  }
}

variable "bigquery" {
  description = "Set it only if a market's source is BigQuery. `job_project` pays for the queries; `datasets` (PROJECT.DATASET) are those that the job may read."
  type = object({
    job_project = optional(string)
    datasets    = optional(list(string), [])
  })
  default = null
}

variable "bucket" {
  description = "The bucket of configs, runs and artifacts. Work files (extracts, trial checkpoints) and old versions are deleted after the given numbers of days."
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
  validation {
    # The provider leaves a condition of 0 out, and a rule without its condition deletes live objects.
    condition = alltrue([
      for days in [var.bucket.work_days, var.bucket.rejected_days, var.bucket.old_version_days, var.bucket.old_run_version_days] :
      days >= 1 && floor(days) == days
    ])
    error_message = "work_days, rejected_days, old_version_days and old_run_version_days of `bucket` must be whole numbers of at least 1."
  }
}

variable "budget" {
  description = "An alert when the project spends more than `amount` in a calendar month, and at shares of it (`thresholds`). `billing_account` is its ID (000000-AAAAAA-000000) and `currency` the account's own. Who applies it needs roles/billing.costsManager on the account."
  type = object({
    billing_account = string
    amount          = number
    currency        = string
    thresholds      = optional(list(number), [0.5, 0.9, 1])
  })
  default = null
  validation {
    condition     = try(var.budget.amount >= 1 && floor(var.budget.amount) == var.budget.amount, var.budget == null)
    error_message = "budget.amount must be a whole number of at least 1."
  }
}

variable "enable_services" {
  description = "Whether the module enables the Google APIs that it uses. Set it to false if they are enabled elsewhere."
  type        = bool
  default     = true
  nullable    = false
}

variable "job" {
  description = "The Cloud Run job. `image` names the image by its digest (HOST/PROJECT/REPOSITORY/NAME@sha256:...). `env` has settings that are not secret, such as SNOWFLAKE_ACCOUNT. With `binary_authorization`, Cloud Run starts only images that the project's policy of Binary Authorization admits."
  type = object({
    image                = string
    binary_authorization = optional(bool, false)
    cpu                  = optional(string, "4")
    memory               = optional(string, "8Gi")
    timeout_seconds      = optional(number, 7200)
    max_retries          = optional(number, 1)
    parallelism          = optional(number, 0)
    env                  = optional(map(string), {})
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
  description = "Cloud KMS key (projects/P/locations/L/keyRings/R/cryptoKeys/K) for buckets, topics, secrets, images, functions and job; logs, metrics and schedules are not covered. If null, Google's own keys are used. The service agents of Storage, Pub/Sub, Secret Manager, Artifact Registry, Cloud Functions, Eventarc and Cloud Run need roles/cloudkms.cryptoKeyEncrypterDecrypter on the key."
  type        = string
  default     = null
}

variable "labels" {
  description = "Labels of every resource that supports labels."
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
  description = "Region of function, job and scheduler; also of the bucket, unless bucket.location is set."
  type        = string
  default     = "europe-west1"
  nullable    = false
}

variable "requests" {
  description = "IAM members that may publish requests, and how Pub/Sub delivers a request to the function."
  type = object({
    publishers            = optional(list(string), [])
    ack_deadline_seconds  = optional(number, 120)
    minimum_backoff       = optional(string, "10s")
    maximum_backoff       = optional(string, "600s")
    max_delivery_attempts = optional(number, 10)
    retention             = optional(string, "172800s") # 2 days, the maximum age that the function accepts
  })
  default  = {}
  nullable = false
}

variable "results" {
  description = "Set it to show the result tables of promoted runs in BigQuery. `dataset` is made in this project, where the bucket is. `readers` are IAM members that may query it; a query reads the bucket in their name, so they may read the whole bucket."
  type = object({
    dataset = optional(string, "mmm")
    readers = optional(list(string), [])
  })
  default = null
  validation {
    condition     = var.results == null || can(regex("^[A-Za-z0-9_]+$", var.results.dataset))
    error_message = "results.dataset must have only letters, digits and underscores."
  }
}

variable "schedules" {
  description = "Each entry publishes a request at each of its times. `config` is an object of the bucket (configs/de.yaml); `cron` and `time_zone` set the times. With `spread_minutes`, the schedule runs later by a number of minutes below it that depends only on its name; the minute of `cron` and `spread_minutes` may be 60 together. Each of `markets` gets a run. `overrides` is the JSON text of config fields that replace the file's."
  type = map(object({
    config         = string
    cron           = string
    time_zone      = optional(string, "Etc/UTC")
    spread_minutes = optional(number, 0)
    markets        = optional(list(string), [])
    overrides      = optional(string, "{}")
    paused         = optional(bool, false)
  }))
  default  = {}
  nullable = false
  validation {
    condition     = alltrue([for s in values(var.schedules) : can(keys(jsondecode(s.overrides)))])
    error_message = "`overrides` must be the JSON text of an object, such as {\"training\": {\"seed\": 7}}."
  }
  validation {
    condition = alltrue([
      for s in values(var.schedules) :
      s.spread_minutes == 0 || (s.spread_minutes >= 1 && floor(s.spread_minutes) == s.spread_minutes && can(regex("^[0-9]+( [^ ]+){4}$", s.cron)) && try(parseint(split(" ", s.cron)[0], 10) + s.spread_minutes <= 60, false))
    ])
    error_message = "With `spread_minutes` (a whole number), the minute of `cron` must be a number, and both may be 60 together, such as cron = \"15 2 * * *\" and spread_minutes = 45."
  }
}

variable "secrets" {
  description = "Secrets of the job by name. None is needed for Snowflake: the job signs in as its service account, unless a secret's variable begins with SNOWFLAKE_. Terraform creates them without values; add the values by hand. Either `env` names the environment variable that has the value, or `file` is the path where the value is mounted (its folder contains nothing else) and `file_env` names the variable that has this path. `version` is a number; only a file may follow \"latest\"."
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
    error_message = "Each entry of `secrets` must have exactly one of `env` and `file`."
  }
  validation {
    condition     = alltrue([for s in values(var.secrets) : s.file == null || can(regex("^/[^/]+.*/[^/]+$", s.file))])
    error_message = "`file` must be an absolute path with a folder, such as /secrets/snowflake/key.p8."
  }
  validation {
    condition     = alltrue([for s in values(var.secrets) : s.env == null || can(regex("^[1-9][0-9]*$", s.version))])
    error_message = "An entry of `secrets` with `env` must name its `version` by number, such as version = \"1\"."
  }
}

variable "trigger" {
  description = "The Cloud Function. `source_archive` is the zip file that `make trigger-archive` builds. `env` may set MMM_MAX_MESSAGE_AGE_HOURS (48); the function rejects older messages."
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
