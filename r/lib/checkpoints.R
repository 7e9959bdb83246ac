# Checkpoints of finished trials: what a retry need not compute again.
#
# A checkpoint holds a trial's record (see `model_record()`), not its tables: a tenth of the size.
# It is written beside its final name and renamed, so that it is there wholly or not at all, and
# it carries a key of everything that decides a trial's numbers.

#' Key of a search: the same for the same inputs and settings, whatever the number of trials.
#'
#' @param problem from `search_problem()`. @param settings from `search_settings()`.
#' @return 32 hexadecimal digits.
search_key <- function(problem, settings) {
  deciding <- c(
    "iterations", "seed", "workers", "nevergrad_algo", "ts_validation", "add_penalty_factor",
    "intercept", "intercept_sign", "rssd_zero_penalty", "refresh", "weights"
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
checkpoint_path <- function(work_dir, trial) {
  file.path(work_dir, "trials", sprintf("trial_%d.rds", trial))
}

#' Write a finished trial.
#'
#' @param record from `run_iterations()`. @param elapsed seconds of the search.
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
read_checkpoint <- function(path, key, trial) {
  if (!file.exists(path)) return(NULL)
  found <- tryCatch(suppressWarnings(readRDS(path)), error = function(e) NULL)
  valid <- is.list(found) && identical(found$key, key) && identical(found$trial, trial) &&
    is.list(found$record) && !anyNA(found$record$time)
  if (valid) found
}
