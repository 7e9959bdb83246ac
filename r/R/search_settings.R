# The settings of the search, from the job's configuration.

SEARCH_DEFAULTS <- list(
  trials = 5L, iterations = 2000L, seed = 123L, workers = 1L, cores = 1L,
  nevergrad_algo = "TwoPointsDE", ts_validation = FALSE, add_penalty_factor = FALSE,
  intercept = TRUE, intercept_sign = "non_negative", rssd_zero_penalty = TRUE,
  objective_weights = NULL, refresh = FALSE, dt_hyper_fixed = NULL, max_iterations = NULL
)

#' The settings that decide a trial's result.
#'
#' @param inputs InputCollect, or the inputs of the builtin engine.
#' @param cfg list; a missing field of SEARCH_DEFAULTS has its default.
#' @return list with the fields of SEARCH_DEFAULTS in R's types, and `objectives` (2, or 3 with
#'   calibration) and `weights` (one per objective).
#' @noRd
search_settings <- function(inputs, cfg) {
  s <- lapply(stats::setNames(nm = names(SEARCH_DEFAULTS)), function(name) {
    if (is.null(cfg[[name]])) SEARCH_DEFAULTS[[name]] else cfg[[name]]
  })
  whole <- c("trials", "iterations", "workers", "cores", "seed")
  s[whole] <- lapply(s[whole], as.integer)
  if (!is.null(s$max_iterations)) s$max_iterations <- as.integer(s$max_iterations)
  if (!is.null(s$dt_hyper_fixed)) {
    s$trials <- s$iterations <- s$workers <- 1L
    s$max_iterations <- NULL
  }
  s$objectives <- if (is.null(inputs$calibration_input)) 2L else 3L
  s$weights <- objective_weights(s)
  s
}

# Robyn's rule: equal weights, but a refresh without weights ignores NRMSE.
objective_weights <- function(s) {
  weights <- unlist(s$objective_weights)
  if (is.null(weights)) return(c(if (s$refresh) 0 else 1, rep(1, s$objectives - 1)))
  as.double(weights)
}
