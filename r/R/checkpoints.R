# Checkpoints of finished trials, which a retry does not compute again.
#
# A checkpoint has a trial's record (see `model_record()`), not its tables, which are ten times the
# size. It is written under a temporary name and renamed, so it is never incomplete. Its key depends
# on everything that decides a trial's numbers.

#' Key of a search. It depends on inputs and settings, but not on the number of trials.
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
  # Hexadecimal keeps every bit of a double and does not depend on how R stores the object.
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
#' @return what `write_checkpoint()` wrote. NULL if there is no checkpoint, if it is unreadable, or
#'   if it belongs to another search or trial.
#' @noRd
read_checkpoint <- function(path, key, trial) {
  if (!file.exists(path)) return(NULL)
  found <- tryCatch(suppressWarnings(readRDS(path)), error = function(e) NULL)
  valid <- is.list(found) && identical(found$key, key) && identical(found$trial, trial) &&
    is.list(found$record) && !anyNA(found$record$time)
  if (valid) found
}

# Fields that do not affect an engine's inputs: paths, and what happens after the inputs.
NOT_OF_INPUTS <- c(
  "run_id", "market", "revision", "search", "data_csv", "holidays_csv", "output_dir", "work_dir",
  "progress_file", "result_file", "trials", "iterations", "max_iterations", "seed", "cores",
  "workers", "trials_todo", "merge", "nevergrad_algo", "pareto_fronts", "min_candidates",
  "calibration_constraint", "allocator_scenarios", "onepagers", "include_data",
  "intervals_method", "intervals_level", "intervals_draws", "intervals_block", "python"
)

#' Inputs from `work_dir/inputs.rds`, if an earlier attempt or another task made them of the same
#' data; else those of `make()`, which are kept there.
#'
#' Prophet may differ in the last bit between machines, so tasks that share a run's trials share its
#' inputs too.
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
