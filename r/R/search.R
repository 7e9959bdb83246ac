# One trial of the search: draw hyperparameters, fit a model, report its errors, repeat.

#' Search one trial.
#'
#' @param inputs InputCollect, or the inputs of the builtin engine (see `search_problem()`).
#' @param cfg list with the fields of SEARCH_DEFAULTS.
#' @param trial its number, from 1; the trial's seed is cfg$seed + trial.
#' @param progress function(iteration, best_nrmse, best_rssd, of), called at least every two
#'   seconds. The last call has `of`, the number of iterations of the trial.
#' @return the trial as `robyn_run()` has it: list(resultCollect, hyperBoundNG, hyperBoundFixed,
#'   trial). Errors: classes of errors.R.
#' @noRd
search_trial <- function(inputs, cfg, trial, progress = function(...) NULL) {
  settings <- search_settings(inputs, cfg)
  problem <- search_problem(inputs, settings)
  started <- proc.time()[["elapsed"]]
  record <- search_record(problem, settings, trial, progress)
  elapsed <- proc.time()[["elapsed"]] - started
  collect_trial(problem, settings, record, as.integer(trial), elapsed)
}

#' The models of one trial (see `model_record()`): those of a search, or the one fixed model.
#' @noRd
search_record <- function(problem, settings, trial, progress) {
  if (!is.null(settings$dt_hyper_fixed)) return(score_fixed(problem))
  run_iterations(problem, settings, trial, progress)
}

#' The loop of the search. Its state is preallocated and does not grow.
#'
#' A trial has `iterations` models, or continues until `stopping_rule()` ends it.
#'
#' @param clock function that returns seconds.
#' @return list of matrices with a column per model (see `model_record()`).
#' @noRd
run_iterations <- function(problem, settings, trial, progress,
                           clock = function() as.numeric(Sys.time())) {
  space <- problem$space
  workers <- settings$workers
  limit <- iteration_limit(settings)
  batches <- ceiling(limit / workers)
  models <- batches * workers
  scale <- hyperparameter_scaler(space)
  updated <- match(names(space$updated), space$columns)
  template <- numeric(length(space$columns))
  fixed <- match(names(space$fixed), space$columns)
  template[fixed] <- as.numeric(unlist(space$fixed))
  optimiser <- make_optimiser(
    settings$nevergrad_algo, length(updated), limit, workers,
    settings$objectives, settings$weights, settings$seed + as.integer(trial)
  )
  score <- model_scorer(problem)
  record <- model_record(problem, models)
  is_over <- stopping_rule(settings)
  best <- c(Inf, Inf)
  objectives <- seq_len(settings$objectives)
  told <- matrix(0, settings$objectives, workers)
  first <- last_word <- clock()
  k <- 0L
  progress(0L, NULL, NULL)
  for (batch in seq_len(batches)) {
    asked <- optimiser$ask(workers)
    for (w in seq_len(workers)) {
      begun <- clock()
      k <- k + 1L
      row <- template
      row[updated] <- scale(asked[, w])
      model <- score(row)
      record$row[, k] <- row
      record$scores[, k] <- model$scores
      record$coefficients[, k] <- model$coefficients
      record$media[, k] <- model$media
      if (length(model$lift)) record$lift[, k] <- model$lift
      told[, w] <- model$objectives[objectives]
      now <- clock()
      record$time[1L, k] <- now - begun
      record$time[2L, k] <- now - first
      better <- which(model$objectives[1:2] < best)
      best[better] <- model$objectives[better]
      if (now - last_word > 1) {
        progress(min(k, limit), best[1], best[2])
        last_word <- now
      }
    }
    optimiser$tell(told)
    if (is_over(k, record$scores)) break
  }
  progress(min(k, limit), best[1], best[2], of = min(k, limit))
  if (k < models) lapply(record, function(table) table[, seq_len(k), drop = FALSE]) else record
}

#' Score one model with known hyperparameters (Robyn's dt_hyper_fixed).
#' @noRd
score_fixed <- function(problem) {
  record <- model_record(problem, 1L)
  begun <- as.numeric(Sys.time())
  row <- as.numeric(unlist(problem$space$fixed))
  model <- model_scorer(problem)(row)
  record$row[, 1L] <- row
  record$scores[, 1L] <- model$scores
  record$coefficients[, 1L] <- model$coefficients
  record$media[, 1L] <- model$media
  if (length(model$lift)) record$lift[, 1L] <- model$lift
  record$time[] <- as.numeric(Sys.time()) - begun
  record
}

# The elements of `scores` of `model_scorer()`.
SCORES <- c(
  "rsq_train", "rsq_val", "rsq_test", "nrmse_train", "nrmse_val", "nrmse_test", "nrmse",
  "decomp.rssd", "mape", "lambda", "lambda_hp"
)
# The blocks of `media`, each with an element per medium.
MEDIA_FIGURES <- c("inflexion", "inflation", "sum", "present", "sum_added", "present_added")

#' Empty record of `models` models, with a column per model.
#'
#' @return list of matrices: row (hyperparameters), scores (SCORES), coefficients (intercept, then
#'   predictors), media (MEDIA_FIGURES x media), lift (3 x experiments), time (own, since start).
#' @noRd
model_record <- function(problem, models) {
  empty <- function(rows) matrix(NA_real_, rows, models)
  list(
    row = empty(length(problem$space$columns)), scores = empty(length(SCORES)),
    coefficients = empty(length(problem$predictors) + 1),
    media = empty(length(MEDIA_FIGURES) * length(problem$media)),
    lift = empty(3 * length(problem$studies)), time = empty(2)
  )
}
