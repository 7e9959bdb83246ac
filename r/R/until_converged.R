# Trials that run until they converge, or to a limit (`max_iterations`).
#
# Robyn applies its rule once, to all trials together. Here each trial applies it to its own models,
# because other trials may run on another machine. So seed and data alone decide where a trial
# stops. Its models are those of a search with that fixed number of iterations, because the
# optimiser does not use the number of iterations to come.

#' Maximum number of iterations of a trial.
#' @noRd
iteration_limit <- function(settings) settings$max_iterations %||% settings$iterations

#' Make the rule that ends a trial before its limit.
#'
#' The rule applies after `iterations` models, and again each time the trial has grown by a
#' twentieth, the length of one of the rule's quantiles.
#'
#' @param settings from `search_settings()`.
#' @return function(done, scores): TRUE if the trial ends after `done` models; `scores` is the
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
#'   finite value above 0 has not converged.
#' @noRd
has_converged <- function(series) {
  found <- converge_series(list(series))$converged
  all(toupper(names(series)) %in% names(found)[found])
}

#' The number of iterations of each trial, and whether its own models have converged.
#'
#' @param models OutputModels.
#' @return list by trial: trial, iterations, converged, stopped (iterations: at the fixed number;
#'   converged; limit), objectives (list by objective of converged).
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
