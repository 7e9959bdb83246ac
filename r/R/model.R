# One model: from hyperparameters to fit, decomposition and errors.

#' Make the function that fits and scores a model.
#'
#' @param problem from `search_problem()`.
#' @return function(row): row are the hyperparameters in the order of `problem$space$columns`;
#'   the value is list(objectives = c(nrmse, rssd, mape), scores (SCORES), coefficients,
#'   media (MEDIA_FIGURES x media, as a vector), lift).
#' @noRd
model_scorer <- function(problem) {
  settings <- problem$settings
  position <- problem$positions
  transform <- media_transformer(problem)
  fit <- model_fitter(problem)
  sums <- colSums(problem$static)
  intercept_rows <- problem$rows
  media_at <- ncol(problem$static) + 1L + seq_along(problem$media)
  paid <- problem$paid
  spend_share <- problem$spend$spend_share[seq_along(paid)]
  lambda_low <- problem$lambda_min
  lambda_width <- problem$lambda_max - lambda_low
  is_fixed <- !is.null(settings$dt_hyper_fixed)

  function(row) {
    made <- transform(row)
    lambda_hp <- row[position$lambda]
    lambda <- if (is_fixed) lambda_hp else lambda_low + lambda_width * lambda_hp
    penalty <- if (settings$add_penalty_factor) row[position$penalty] else NULL
    fitted <- fit(made$saturated, lambda, penalty, row[position$train_size])
    beta <- fitted$coefficients[media_at]

    # Decomposition: contributions of intercept and predictors over the window.
    totals <- fitted$coefficients * c(intercept_rows, sums, made$figures[, 3])
    share <- totals / sum(totals)
    effect <- share[media_at][paid]
    rssd <- if (settings$refresh) {
      refresh_rssd(share, problem$previous)
    } else {
      decomposition_rssd(effect / sum(effect), spend_share, settings$rssd_zero_penalty)
    }

    mape <- 0
    lift <- NULL
    if (!is.null(problem$studies)) {
      lift <- calibration_errors(problem, row, made$saturated, beta, made$figures[, 1])
      mape <- mean(lift[3, ], na.rm = TRUE)
    }
    error <- if (settings$ts_validation) fitted$scores[5] else fitted$scores[4]
    list(
      objectives = c(error, rssd, mape),
      scores = c(fitted$scores, error, rssd, mape, lambda, lambda_hp),
      coefficients = fitted$coefficients, media = made$figures, lift = lift
    )
  }
}

#' Make the function that carries over and saturates all media.
#'
#' @return function(row): list(saturated (list of numeric over the window), figures (media x
#'   MEDIA_FIGURES)).
#' @noRd
media_transformer <- function(problem) {
  window <- problem$window
  added <- problem$added
  all_added <- length(added) == problem$rows
  media <- problem$media
  spent <- vapply(media, sum, 0)
  adstock <- problem$adstock
  type <- sub("weibull_", "", adstock)
  geometric <- adstock == "geometric"
  position <- problem$positions
  count <- length(media)
  weibull <- if (needs_exact_adstock(problem$studies, adstock)) weibull_exactly else weibull_adstock
  function(row) {
    alpha <- row[position$alpha]
    gamma <- row[position$gamma]
    if (geometric) theta <- row[position$theta]
    else {
      shape <- row[position$shape]
      scale <- row[position$scale]
    }
    saturated <- vector("list", count)
    figures <- matrix(0, count, 6L)
    for (v in seq_len(count)) {
      decayed <- if (geometric) geometric_adstock(media[[v]], theta[v])
      else weibull(media[[v]], shape[v], scale[v], type)
      seen <- decayed[window]
      inflexion <- max(seen) * gamma[v]
      response <- hill_saturation(seen, alpha[v], inflexion)
      saturated[[v]] <- response
      total <- sum(response)
      present <- sum(response != 0)
      figures[v, ] <- c(
        inflexion, sum(decayed) / spent[v], total, present,
        if (all_added) c(total, present) else c(sum(response[added]), sum(response[added] != 0))
      )
    }
    list(saturated = saturated, figures = figures)
  }
}

#' Make the function that fits the regression and measures it.
#'
#' @return function(saturated, lambda, penalty, train_size): list(coefficients (intercept first),
#'   scores (the first six of SCORES)).
#' @noRd
model_fitter <- function(problem) {
  y <- problem$y
  rows <- problem$rows
  static <- as.vector(problem$static)
  p <- length(problem$predictors)
  ones <- rep(1, p)
  limits_of <- function(part) do.call(ridge_limits, trend_limits(problem, part))
  whole <- limits_of(seq_len(rows))
  regress <- regression(problem, whole)
  function(saturated, lambda, penalty, train_size) {
    x <- c(static, unlist(saturated, use.names = FALSE))
    dim(x) <- c(rows, p)
    if (is.null(penalty)) penalty <- ones
    split <- if (train_size < 1) split_rows(rows, train_size)
    limits <- if (is.null(split)) whole else limits_of(split$train)
    x_train <- if (is.null(split)) x else x[split$train, ]
    y_train <- if (is.null(split)) y else y[split$train]
    fitted <- regress(x_train, y_train, lambda, limits, penalty)
    coefficients <- fitted$coefficients
    intercepts <- fitted$intercepts
    predicted <- as.vector(x %*% coefficients[-1L]) + coefficients[1L]
    n <- length(y_train)
    score <- function(part) {
      c(adjusted_rsq(y[part], predicted[part], p, intercepts, n), nrmse(y[part], predicted[part]))
    }
    if (is.null(split)) {
      scores <- c(adjusted_rsq(y, predicted, p, intercepts, n), NA, NA, nrmse(y, predicted), NA, NA)
    } else {
      pairs <- c(score(split$train), score(split$validation), score(split$test))
      scores <- pairs[c(1, 3, 5, 2, 4, 6)]
    }
    list(coefficients = coefficients, scores = scores)
  }
}

#' Make the function that fits the regression. If the intercept is negative and must not be, it fits
#' again without intercept.
#'
#' @param limits of the coefficients in the whole window, see `ridge_limits()`.
#' @return function(x, y, lambda, limits, penalty): list(coefficients (intercept first),
#'   intercepts (1, or 0 without intercept)).
#' @noRd
regression <- function(problem, limits) {
  intercept <- problem$settings$intercept
  drop_negative <- problem$settings$intercept_sign == "non_negative"
  ridge <- ridge_probe(problem, limits)
  function(x, y, lambda, limits, penalty) {
    coefficients <- ridge(x, y, lambda, limits, penalty, intercept)
    if (!drop_negative || coefficients[1] >= 0) {
      return(list(coefficients = coefficients, intercepts = 1))
    }
    list(coefficients = ridge(x, y, lambda, limits, penalty, FALSE), intercepts = 0)
  }
}

# The regression of the run, verified on the untransformed media.
ridge_probe <- function(problem, limits) {
  x <- cbind(problem$static, do.call(cbind, problem$media)[problem$window, , drop = FALSE])
  ridge_fitter(
    unname(x), problem$y, limits, rep(1, ncol(x)), problem$lambda_max * c(0.001, 0.3, 1)
  )
}
