# A job from its JSON to its result file: inputs -> trials -> outputs -> plots.

#' Run a job and end R
#'
#' Trains the model that the job's JSON describes and writes the result file. An error ends R with
#' the exit code of its class (see `exit_code()`), and the result file says what went wrong.
#'
#' @param arguments One of `job_cfg=<path of the job's JSON>`; `--enums`, which prints the values
#'   that R knows as JSON; `--engine`, which prints the engine that `auto` stands for.
#' @return Does not return: R ends.
#' @export
run_job <- function(arguments) {
  if (identical(arguments, "--enums")) {
    cat(jsonlite::toJSON(CONFIG_ENUMS, pretty = TRUE), "\n", sep = "")
    quit("no", 0L)
  }
  if (identical(arguments, "--engine")) {
    cat(resolve_engine("auto"), "\n", sep = "")
    quit("no", 0L)
  }
  run <- new.env()
  run$timings <- new.env()
  run$job <- sub("^job_cfg=", "", grep("^job_cfg=", arguments, value = TRUE))
  failed <- function(e) {
    cat("Error:", conditionMessage(e), "\n", file = stderr())
    finish(run, describe_error(e, run$timings$current), exit_code(e))
  }
  result <- tryCatch(
    withCallingHandlers(
      {
        if (length(run$job) != 1) {
          abort("mmm_config_error", "Usage: Rscript r/run_all.R job_cfg=/path/job.json")
        }
        cfg <- read_config(run$job)
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

#' The four steps.
#'
#' @param run environment: cfg, progress, timings, store.
#' @return list for the result file.
#' @noRd
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
  # All but the pictures is written, so the run has its result even if R ends here.
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

# Path of the result file; NULL if the job does not name one in an existing folder.
result_file <- function(job) {
  given <- tryCatch(jsonlite::fromJSON(job)$result_file, error = function(e) NULL)
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
  path <- result_file(run$job)
  if (!is.null(path)) write_json(result, path)
}

finish <- function(run, result, code) {
  write_result(run, result)
  quit("no", code)
}
