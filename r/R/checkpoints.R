# Checkpoints of finished trials: what a retry need not compute again.
#
# A checkpoint holds a trial's record (see `model_record()`), not its tables: a tenth of the size.
# It is written beside its final name and renamed, so that it is there wholly or not at all, and
# it carries a key of everything that decides a trial's numbers.

#' Key of a search: the same for the same inputs and settings, whatever the number of trials.
#'
#' @param problem from `search_problem()`.
#' @param settings from `search_settings()`.
#' @return 32 hexadecimal digits.
#' @noRd
search_key <- function(problem, settings) {
  deciding <- c(
    "iterations", "max_iterations", "seed", "workers", "nevergrad_algo", "ts_validation",
    "add_penalty_factor", "intercept", "intercept_sign", "rssd_zero_penalty", "refresh", "weights"
  )
  # Doubles in hexadecimal: to the last bit, and free of how R stores the objects.
  exact <- function(x) {
    if (is.list(x)) return(unlist(Map(function(n, v) c(n, exact(v)), names_of(x), x)))
    if (is.numeric(x)) return(sprintf("%a", as.double(x)))
    as.character(x)
  }
  parts <- problem[setdiff(names(problem), c("settings"))]
  text <- exact(c(parts, settings[deciding], list(dt_hyper_fixed = settings$dt_hyper_fixed)))
  path <- tempfile("key-")
  on.exit(unlink(path))
  writeLines(text, path)
  unname(tools::md5sum(path))
}

names_of <- function(x) if (is.null(names(x))) seq_along(x) else names(x)

#' Path of a trial's checkpoint.
#' @noRd
checkpoint_path <- function(work_dir, trial) {
  file.path(work_dir, "trials", sprintf("trial_%d.rds", trial))
}

#' Write a finished trial.
#'
#' @param record from `run_iterations()`.
#' @param elapsed seconds of the search.
#' @noRd
write_checkpoint <- function(path, key, trial, record, elapsed) {
  write_atomically(path, function(temporary) {
    file <- gzfile(temporary, "wb", compression = 1)
    on.exit(close(file))
    saveRDS(list(key = key, trial = trial, record = record, elapsed = elapsed), file)
  })
}

#' Read a trial's checkpoint.
#'
#' @return what `write_checkpoint()` wrote, or NULL where there is none, it cannot be read, or it
#'   belongs to another search or trial.
#' @noRd
read_checkpoint <- function(path, key, trial) {
  if (!file.exists(path)) return(NULL)
  found <- tryCatch(suppressWarnings(readRDS(path)), error = function(e) NULL)
  valid <- is.list(found) && identical(found$key, key) && identical(found$trial, trial) &&
    is.list(found$record) && !anyNA(found$record$time)
  if (valid) found
}

# What does not decide an engine's inputs: where things lie, and what is done with the inputs.
NOT_OF_INPUTS <- c(
  "run_id", "market", "revision", "search", "data_csv", "holidays_csv", "output_dir", "work_dir",
  "progress_file", "result_file", "trials", "iterations", "max_iterations", "seed", "cores",
  "workers", "trials_todo", "merge", "nevergrad_algo", "pareto_fronts", "min_candidates",
  "calibration_constraint", "allocator_scenarios", "onepagers", "include_data",
  "intervals_method", "intervals_level", "intervals_draws", "intervals_block", "validation_folds",
  "validation_horizon", "python"
)

#' The inputs that an earlier attempt, or another task of the run, made of the same data; else
#' `make()`, kept in `work_dir/inputs.rds`.
#'
#' Prophet may differ in the last bit from machine to machine: tasks that share a run's trials must
#' share its inputs too.
#' @noRd
kept_inputs <- function(cfg, engine, make) {
  path <- file.path(cfg$work_dir, "inputs.rds")
  files <- c(cfg$data_csv, cfg$holidays_csv)
  key <- list(engine, unname(tools::md5sum(files)), cfg[setdiff(names(cfg), NOT_OF_INPUTS)])
  found <- if (file.exists(path)) {
    tryCatch(suppressWarnings(readRDS(path)), error = function(e) NULL)
  }
  if (is.list(found) && identical(found$key, key)) return(found$inputs)
  inputs <- make()
  write_atomically(path, function(temporary) {
    saveRDS(list(key = key, inputs = inputs), temporary)
  })
  inputs
}
