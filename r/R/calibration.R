# Calibration: the error of a model's response against the lift that experiments measured.

#' The experiments of a run, prepared for every iteration.
#'
#' @param inputs see `search_problem()`.
#' @param window rows of the modelling window.
#' @return NULL without calibration, else a list of studies: channels (indices into all_media),
#'   scope, rows (of the data), window_rows (of the window), lift, lift_days, model_days, and the
#'   fields for the table (media, start, end, model_start, model_end).
#' @noRd
calibration_studies <- function(inputs, window) {
  calibration <- inputs$calibration_input
  if (is.null(calibration)) return(NULL)
  dates <- inputs$dt_mod$ds
  in_window <- dates[window]
  inside <- calibration$liftStartDate >= min(in_window) &
    calibration$liftEndDate <= max(in_window) + inputs$dayInterval - 1
  if (!any(inside)) {
    abort("mmm_data_error", "No experiment in `calibration` is within the modelling window.",
      field = "calibration")
  }
  lapply(seq_len(nrow(calibration)), function(i) {
    row <- as.list(calibration[i, ])
    channels <- strsplit(row$channel_selected, "+", fixed = TRUE)[[1]]
    rows <- which(dates >= row$liftStartDate & dates <= row$liftEndDate)
    # An experiment that starts within a period includes that period's effect.
    if (!row$liftStartDate %in% dates) rows <- c(min(rows, length(dates) + 1) - 1, rows)
    days <- range(dates[rows])
    list(
      channels = match(channels, inputs$all_media), scope = row$calibration_scope,
      rows = rows, window_rows = which(in_window %in% dates[rows]), lift = row$liftAbs,
      lift_days = as.numeric(difftime(row$liftEndDate, row$liftStartDate, units = "days")),
      model_days = as.numeric(difftime(days[2], days[1], units = "days")),
      media = row$channel_selected, start = row$liftStartDate, end = row$liftEndDate,
      model_start = as.Date(days[1]), model_end = as.Date(days[2])
    )
  })
}

#' Response of a model during each experiment.
#'
#' @param problem from `search_problem()`.
#' @param row hyperparameters of the model, numeric.
#' @param saturated list of saturated media in the window.
#' @param beta coefficients of the media.
#' @param inflexion one entry a medium.
#' @return matrix with a column an experiment: response scaled to the experiment's days, the same
#'   with carry-over from before, relative error.
#' @noRd
calibration_errors <- function(problem, row, saturated, beta, inflexion) {
  vapply(problem$studies, function(study) {
    part <- whole <- 0
    for (v in study$channels) {
      response <- saturated[[v]][study$window_rows] * beta[v]
      whole <- whole + response
      if (study$scope == "immediate") {
        response <- response - carried_over(problem, row, v, study$rows, inflexion[v]) * beta[v]
      }
      part <- part + response
    }
    scaled <- c(sum(part), sum(whole)) / study$model_days * study$lift_days
    c(scaled, abs((scaled[1] - study$lift) / study$lift))
  }, numeric(3))
}

# Whether adstock must equal Robyn's to the last bit. An experiment without carry-over is compared
# with the difference of two adstocked series, and with Weibull adstock that may be rounding alone.
needs_exact_adstock <- function(studies, adstock) {
  adstock != "geometric" && any(vapply(studies, function(s) s$scope == "immediate", NA))
}

# Saturated effect, in the experiment's periods, of media from before the experiment.
carried_over <- function(problem, row, v, rows, inflexion) {
  x <- problem$media[[v]]
  position <- problem$positions
  if (problem$adstock == "geometric") {
    theta <- row[position$theta[v]]
    all <- geometric_adstock(x, theta)[rows]
    own <- if (length(rows) > 1) geometric_adstock(x[rows], theta) else x[rows]
  } else {
    shape <- row[position$shape[v]]
    scale <- row[position$scale[v]]
    type <- sub("weibull_", "", problem$adstock)
    all <- weibull_exactly(x, shape, scale, type, rows)
    own <- weibull_exactly(x[rows], shape, scale, type)
  }
  hill_saturation(all - own, row[position$alpha[v]], inflexion)
}
