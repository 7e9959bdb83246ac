# Progress of a run: one JSON object per line, appended to a file that the job reads.

#' Make the log of a run.
#'
#' Each line is one write, so forked children may use the same log.
#'
#' @param path file to append to; NULL writes nothing.
#' @return list of functions: step, progress, checkpoint, warning.
#' @noRd
progress_log <- function(path) {
  emit <- function(...) {
    if (is.null(path)) return(invisible())
    event <- list(time = format(Sys.time(), "%Y-%m-%dT%H:%M:%OS3Z", tz = "UTC"), ...)
    line <- jsonlite::toJSON(event, auto_unbox = TRUE, digits = NA, null = "null", na = "null")
    cat(paste0(line, "\n"), file = path, append = TRUE)
    invisible()
  }
  list(
    step = function(step, state, seconds = NULL) {
      if (is.null(seconds)) emit(type = "step", step = step, state = state)
      else emit(type = "step", step = step, state = state, seconds = round(seconds, 3))
    },
    progress = function(trial, trials, iteration, iterations, best_nrmse, best_rssd) {
      emit(
        type = "progress", trial = trial, trials = trials, iteration = iteration,
        iterations = iterations, best_nrmse = best_nrmse, best_rssd = best_rssd
      )
    },
    checkpoint = function(trial, path) emit(type = "checkpoint", trial = trial, path = path),
    warning = function(message) emit(type = "warning", message = message)
  )
}

#' Collect warnings of this process and of its forked children in one file.
#'
#' @param path file with one JSON string per line.
#' @return list(add, all): `add(message)` is TRUE if the message is new in this process.
#' @noRd
warning_store <- function(path) {
  seen <- new.env()
  list(
    add = function(message) {
      if (!is.null(seen[[message]])) return(FALSE)
      assign(message, TRUE, envir = seen)
      cat(paste0(jsonlite::toJSON(message, auto_unbox = TRUE), "\n"), file = path, append = TRUE)
      TRUE
    },
    all = function() {
      if (!file.exists(path)) return(character())
      lines <- readLines(path, warn = FALSE)
      unique(vapply(lines, function(l) jsonlite::fromJSON(l)[1], "", USE.NAMES = FALSE))
    }
  )
}

#' Run `code` as a named step: log its start and end, and keep its seconds in `timings`.
#'
#' @param timings environment; gets the elements `name`, seconds of wall time, and `name`_cpu, of
#'   this process and its finished children.
#' @noRd
timed_step <- function(name, progress, timings, code) {
  timings$current <- name
  progress$step(name, "started")
  started <- proc.time()
  value <- force(code)
  used <- proc.time() - started
  timings[[name]] <- used[["elapsed"]]
  timings[[paste0(name, "_cpu")]] <- cpu_seconds(used)
  progress$step(name, "finished", timings[[name]])
  value
}

#' Seconds of CPU of a proc.time(), children included.
#' @noRd
cpu_seconds <- function(time) sum(time[c(1, 2, 4, 5)])
