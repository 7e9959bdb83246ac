# Trials that go on until they have converged, or to a limit (`max_iterations`).
#
# Robyn asks its rule once, of all trials together. A trial here knows nothing of the others, which
# may run on another machine: the rule is asked of its own models, and the trial's seed and data
# alone decide where it stops. What it drew until then is what a search of that many iterations
# draws: the optimiser does not know how many are to come.

#' Most iterations that a trial may have.
#' @noRd
iteration_limit <- function(settings) settings$max_iterations %||% settings$iterations

#' When a trial is over before its limit.
#'
#' The rule is asked after `iterations` models, then each time that the trial has grown by a
#' twentieth, the length of one of the rule's quantiles.
#'
#' @param settings from `search_settings()`.
#' @return function(done, scores): TRUE where the trial is over after `done` models; `scores` is the
#'   matrix of `model_record()`.
#' @noRd
stopping_rule <- function(settings) {
  if (is.null(settings$max_iterations)) return(function(done, scores) FALSE)
  look <- settings$iterations
  objectives <- c("nrmse", "decomp.rssd", "mape")[seq_len(settings$objectives)]
  at <- match(objectives, SCORES)
  function(done, scores) {
    if (done < look) return(FALSE)
    look <<- done + ceiling(done / 20)
    series <- lapply(at, function(row) scores[row, seq_len(done)])
    has_converged(stats::setNames(series, objectives))
  }
}

#' Whether every objective of one trial has converged.
#'
#' @param series list by objective of numeric, in the order of the search. An objective without a
#'   finite value above 0 has not.
#' @noRd
has_converged <- function(series) {
  found <- converge_series(list(series))$converged
  all(toupper(names(series)) %in% names(found)[found])
}

#' How many iterations each trial had, and whether the rule holds for its own models.
#'
#' @param models OutputModels.
#' @return list by trial: trial, iterations, converged, stopped (iterations: as many as were asked
#'   for; converged; limit), objectives (list by objective of converged).
#' @noRd
trial_endings <- function(models) {
  trials <- unname(unclass(models)[grepl("^trial[0-9]+$", names(models))])
  lapply(trials, function(trial) {
    table <- as.data.frame(trial$resultCollect$resultHypParam)
    series <- as.list(table[order(table$iterNG, table$iterPar), OBJECTIVES])
    if (all(series$mape == 0)) series$mape <- NULL
    each <- vapply(names(series), function(name) has_converged(series[name]), NA)
    iterations <- nrow(table)
    list(
      trial = as.integer(trial$trial), iterations = iterations, converged = all(each),
      stopped = if (is.null(models$max_iterations)) "iterations"
      else if (iterations < models$max_iterations) "converged" else "limit",
      objectives = stats::setNames(as.list(each), gsub(".", "_", names(each), fixed = TRUE))
    )
  })
}
