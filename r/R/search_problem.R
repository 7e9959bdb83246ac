# Everything in a search that is the same in each iteration, computed once.

#' Prepare a search.
#'
#' @param inputs InputCollect, or the inputs of the builtin engine: fields dt_mod, dt_input,
#'   dt_modRollWind, rollingWindowStartWhich, rollingWindowEndWhich, refreshAddedStart, all_media,
#'   paid_media_spends, paid_media_selected, exposure_vars, organic_vars, the signs, prophet_vars,
#'   adstock, hyperparameters, calibration_input; for a refresh also xDecompAggPrev, refresh_steps,
#'   rollingWindowLength.
#' @param settings from `search_settings()`.
#' @return list: media (list of full-length numeric), window (rows), static (matrix of the other
#'   predictors in the window), predictors (names, static ones first), y, limits, spend (see
#'   `spend_shares()`), added (rows of the window that a refresh added), lambda_max, lambda_min,
#'   space (see `hyperparameter_space()`), positions (of the hyperparameters in a model's row),
#'   studies (see `calibration_studies()`), previous (for a refresh).
#' @noRd
search_problem <- function(inputs, settings) {
  check_inputs(inputs)
  table <- as.data.frame(inputs$dt_mod)
  window <- inputs$rollingWindowStartWhich:inputs$rollingWindowEndWhich
  media <- inputs$all_media
  static <- setdiff(names(table), c("ds", "dep_var", media))
  space <- hyperparameter_space(inputs, settings)
  dates <- inputs$dt_modRollWind$ds
  first_added <- which(dates == inputs$refreshAddedStart)
  if (length(first_added) != 1) first_added <- 1L
  lambda_max <- greatest_lambda(table[setdiff(names(table), c("ds", "dep_var"))], table$dep_var)
  problem <- list(
    media = lapply(stats::setNames(media, media), function(name) as.double(table[[name]])),
    window = window, rows = length(window),
    static = as.matrix(table[window, static, drop = FALSE]),
    predictors = c(static, media),
    y = as.double(table$dep_var[window]),
    limits = coefficient_limits(inputs),
    trend = which(static == "trend"), trend_sign = which(inputs$prophet_vars == "trend"),
    paid = match(inputs$paid_media_selected, media),
    spend = spend_shares(inputs, window, first_added),
    added = first_added:length(window),
    lambda_max = lambda_max, lambda_min = lambda_max * 1e-4, lambda_min_ratio = 1e-4,
    space = space, positions = hyperparameter_positions(space, inputs$adstock, media),
    adstock = inputs$adstock, settings = settings
  )
  problem$studies <- calibration_studies(inputs, window)
  if (settings$refresh) problem$previous <- previous_shares(inputs, problem$predictors)
  problem
}

check_inputs <- function(inputs) {
  for (name in c("dt_mod", "dt_input", "dt_modRollWind", "all_media", "hyperparameters")) {
    if (is.null(inputs[[name]])) {
      abort("mmm_data_error", "The inputs have no `", name, "`.", field = name)
    }
  }
  table <- inputs$dt_mod[setdiff(names(inputs$dt_mod), "ds")]
  for (name in names(table)) {
    values <- table[[name]]
    if (!is.numeric(values)) {
      abort("mmm_data_error", sprintf(
        "Column `%s` of the modelling table is %s; it must be numeric. %s", name, class(values)[1],
        "Set `prophet_vars`, so that prophet turns factors into numbers."
      ), field = name)
    }
    if (!all(is.finite(values))) {
      abort("mmm_data_error", sprintf(
        "Column `%s` of the modelling table has %d missing or infinite values.", name,
        sum(!is.finite(values))
      ), field = name)
    }
  }
  window <- inputs$rollingWindowStartWhich:inputs$rollingWindowEndWhich
  if (stats::var(table$dep_var[window]) == 0) {
    abort("mmm_data_error", "The target is constant in the modelling window.", field = "target")
  }
  for (name in inputs$all_media) {
    if (max(table[[name]]) <= 0 || max(table[[name]][window]) <= 0) {
      abort("mmm_data_error", "Media `", name, "` is never above 0 in the window.", field = name)
    }
  }
}

#' Limits of the coefficients from the variables' signs, in the order of the predictors.
#'
#' Coefficients of prophet's components are within 0..1, that of a falling trend within -1..0 (see
#' `trend_limits()`).
#'
#' @return list(lower, upper).
#' @noRd
coefficient_limits <- function(inputs) {
  prophet <- length(inputs$prophet_signs)
  signs <- c(inputs$context_signs, inputs$paid_media_signs, inputs$organic_signs)
  list(
    lower = c(rep(0, prophet), ifelse(signs == "positive", 0, -Inf)),
    upper = c(rep(1, prophet), ifelse(signs == "negative", 0, Inf))
  )
}

#' The limits, with those of the trend reversed if it sums to less than 0 in the training rows.
#' @noRd
trend_limits <- function(problem, rows) {
  limits <- problem$limits
  if (length(problem$trend) && sum(problem$static[rows, problem$trend]) < 0) {
    limits$lower[problem$trend_sign] <- -1
    limits$upper[problem$trend_sign] <- 0
  }
  limits
}

#' Spend and exposure of the media over the window, and over the periods that a refresh added.
#'
#' @return data.frame by medium: rn, total_spend, mean_spend, spend_share, mean_exposure and the
#'   same over the added periods with suffix _refresh; organic media have exposure only.
#' @noRd
spend_shares <- function(inputs, window, first_added) {
  data <- as.data.frame(inputs$dt_input)
  over <- function(rows) {
    spend <- data[rows, inputs$paid_media_spends, drop = FALSE]
    total <- vapply(spend, sum, 0)
    exposed <- c(inputs$exposure_vars, inputs$organic_vars)
    exposure <- vapply(data[rows, exposed, drop = FALSE], mean, 0)
    rn <- union(inputs$paid_media_selected, exposed)
    paid <- match(rn, inputs$paid_media_selected)
    data.frame(
      rn = rn, total_spend = unname(total)[paid],
      mean_spend = unname(vapply(spend, mean, 0))[paid],
      spend_share = unname(total / sum(total))[paid],
      mean_exposure = if (length(exposed)) unname(exposure[match(rn, exposed)]) else NA
    )
  }
  all <- over(window)
  added <- over(window[first_added:length(window)])[-1]
  cbind(all, stats::setNames(added, paste0(names(added), "_refresh")))
}

#' Positions of the hyperparameters of each medium in a model's row.
#'
#' @return list of integer vectors, one entry per medium (alpha, gamma, theta, shape, scale), and
#'   lambda, train_size, penalty.
#' @noRd
hyperparameter_positions <- function(space, adstock, media) {
  at <- function(kind) match(paste0(media, "_", kind), space$columns)
  list(
    alpha = at("alphas"), gamma = at("gammas"), theta = at("thetas"), shape = at("shapes"),
    scale = at("scales"), lambda = match("lambda", space$columns),
    train_size = match("train_size", space$columns), penalty = grep("_penalty", space$columns)
  )
}

# Decomposition shares of the model that is refreshed, in the order of the coefficients.
previous_shares <- function(inputs, predictors) {
  previous <- inputs$xDecompAggPrev
  wanted <- c("(Intercept)", predictors)
  if (anyDuplicated(previous$rn) || !all(wanted %in% previous$rn)) {
    abort("mmm_data_error",
      "The refreshed model must be a single model with the variables of this run: ",
      paste(wanted, collapse = ", "), ".", field = "xDecompAggPrev")
  }
  list(
    share = previous$xDecompPerc[match(wanted, previous$rn)],
    paid = wanted %in% inputs$paid_media_selected,
    kept = 1 - inputs$refresh_steps / inputs$rollingWindowLength
  )
}
