# Train one model: Rscript r/run_all.R job_cfg=/path/job.json
#
# Steps: inputs -> trials -> outputs -> plots. Any error ends it with a non-zero code and a result
# file that says what went wrong. `--enums` prints the values that R knows, as JSON.

if (!nzchar(Sys.getenv("TZ"))) Sys.setenv(TZ = "UTC")
# Hyperparameters are sorted by name, and their order decides the draws: one order everywhere.
invisible(Sys.setlocale("LC_COLLATE", "C"))
options(error = NULL, warn = 1, digits.secs = 3, na.action = "na.omit")

own_path <- function() {
  file <- grep("^--file=", commandArgs(FALSE), value = TRUE)
  normalizePath(sub("^--file=", "", file[1]))
}

load_library <- function() {
  folder <- file.path(dirname(own_path()), "lib")
  for (file in sort(list.files(folder, "[.]R$", full.names = TRUE))) {
    sys.source(file, envir = globalenv())
  }
}

arguments <- function() {
  given <- commandArgs(TRUE)
  if ("--enums" %in% given) {
    cat(jsonlite::toJSON(CONFIG_ENUMS, pretty = TRUE), "\n", sep = "")
    quit("no", 0L)
  }
  path <- sub("^job_cfg=", "", grep("^job_cfg=", given, value = TRUE))
  if (length(path) != 1) {
    abort("mmm_config_error", "Usage: Rscript r/run_all.R job_cfg=/path/job.json")
  }
  path
}

# The four steps. `run` is an environment: cfg, progress, timings, store.
train <- function(run) {
  cfg <- run$cfg
  step <- function(name, code) timed_step(name, run$progress, run$timings, code)
  engine <- resolve_engine(cfg$engine)
  calls <- engine_calls(engine, cfg$search)
  python <- check_nevergrad(cfg$python, load = uses_nevergrad(cfg))
  Sys.setenv(RETICULATE_PYTHON = Sys.which(cfg$python))
  set.seed(cfg$seed)

  inputs <- step("inputs", kept_inputs(cfg, engine, function() calls$inputs(cfg, read_data(cfg))))
  models <- step("trials", calls$search(inputs, cfg, run$progress))
  result <- list(
    status = "ok", engine = engine, search = cfg$search, robyn_version = NULL,
    r_version = paste(R.version$major, R.version$minor, sep = "."),
    packages = c(package_versions(), python), best_model = NULL, selfcheck = NULL
  )
  if (!cfg$merge) return(result)

  outputs <- step("outputs", {
    made <- calls$outputs(inputs, models, cfg, run$progress)
    write_outputs(inputs, models, made, cfg, engine)
    made
  })
  for (name in c("best_model", "selfcheck", "robyn_version", "search")) {
    if (!is.null(outputs[[name]])) result[[name]] <- outputs[[name]]
  }
  result$trial_iterations <- lapply(outputs$metrics$trials, `[[`, "iterations")
  # All but the pictures is there: whatever becomes of this process now, the run has its result.
  write_result(run, replace(result, "status", "drawing"))
  step("plots", tryCatch(calls$plots(inputs, outputs, cfg, run$progress), error = function(e) {
    warning("Pictures were not drawn: ", conditionMessage(e), call. = FALSE)
  }))
  result
}

on_warning <- function(run) {
  function(w) {
    message <- conditionMessage(w)
    cat("Warning:", message, "\n", file = stderr())
    if (!is.null(run$store) && run$store$add(message)) run$progress$warning(message)
    invokeRestart("muffleWarning")
  }
}

# Where the result goes, as far as a job that may be wrong tells.
result_file <- function() {
  path <- sub("^job_cfg=", "", grep("^job_cfg=", commandArgs(TRUE), value = TRUE))
  given <- tryCatch(jsonlite::fromJSON(path)$result_file, error = function(e) NULL)
  if (is.character(given) && length(given) == 1 && dir.exists(dirname(given))) given
}

write_result <- function(run, result) {
  if (!is.null(run$cfg)) {
    timings <- Filter(is.numeric, as.list(run$timings))
    timings$total <- proc.time()[["elapsed"]]
    timings$total_cpu <- cpu_seconds(proc.time())
    write_json(lapply(timings, round, 3), file.path(run$cfg$output_dir, "timings.json"))
    result$warnings <- as.list(run$store$all())
  }
  path <- result_file()
  if (!is.null(path)) write_json(result, path)
}

finish <- function(run, result, code) {
  write_result(run, result)
  quit("no", code)
}

main <- function() {
  run <- new.env()
  run$timings <- new.env()
  failed <- function(e) {
    cat("Error:", conditionMessage(e), "\n", file = stderr())
    # The library itself may be what failed.
    if (!exists("describe_error")) quit("no", 70L)
    finish(run, describe_error(e, run$timings$current), exit_code(e))
  }
  result <- tryCatch(
    withCallingHandlers(
      {
        load_library()
        cfg <- read_config(arguments())
        use_temp_dir(cfg$work_dir)
        run$store <- warning_store(tempfile("warnings-"))
        run$progress <- progress_log(cfg$progress_file)
        run$cfg <- cfg
        train(run)
      },
      warning = on_warning(run)
    ),
    error = failed,
    interrupt = function(i) failed(simpleError("interrupted"))
  )
  finish(run, result, 0L)
}

main()
