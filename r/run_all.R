# Train one model: Rscript r/run_all.R job_cfg=/path/job.json
#
# `--enums` prints the values that R knows, as JSON; `--engine` prints the engine that `auto` stands
# for. The package mmmtrainer does the work.

if (!nzchar(Sys.getenv("TZ"))) Sys.setenv(TZ = "UTC")
# Hyperparameters are sorted by name, and their order decides the draws: one order everywhere.
invisible(Sys.setlocale("LC_COLLATE", "C"))
options(error = NULL, warn = 1, digits.secs = 3, na.action = "na.omit")

own <- normalizePath(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[1]))
source(file.path(dirname(own), "library.R"), chdir = TRUE)

# The package is unusable: say why on stderr and, where the job names one, in the result file. Only
# base R is certain to be here.
give_up <- function(why) {
  cat("Error:", why, "\n", file = stderr())
  job <- sub("^job_cfg=", "", grep("^job_cfg=", commandArgs(TRUE), value = TRUE))
  if (length(job) == 1 && file.exists(job)) {
    text <- paste(readLines(job, warn = FALSE), collapse = "\n")
    pattern <- "^.*\"result_file\"[[:space:]]*:[[:space:]]*\"([^\"]+)\".*$"
    result <- if (grepl(pattern, text)) sub(pattern, "\\1", text)
    if (!is.null(result) && dir.exists(dirname(result))) {
      message <- encodeString(why, quote = "\"")
      cat(sprintf(
        "{\"status\": \"error\", \"class\": \"mmm_model_error\", \"message\": %s}\n", message
      ), file = result)
    }
  }
  quit("no", 70L)
}

why <- package_problem()
if (is.null(why)) {
  why <- tryCatch(
    {
      loadNamespace("mmmtrainer")
      NULL
    },
    error = function(e) paste("The R package mmmtrainer cannot be loaded:", conditionMessage(e))
  )
}
if (!is.null(why)) give_up(why)
mmmtrainer::run_job(commandArgs(TRUE))
