# The chosen model, to be fitted again to other rows or targets.

#' Make a model that can be fitted again.
#'
#' Adstock and saturation are the model's, over the whole window. Penalty, penalty factors, limits
#' of the coefficients and the rule for a negative intercept are those of the search.
#'
#' @param inputs InputCollect.
#' @param cfg the job's configuration.
#' @param row one row of
#'   resultHypParam: hyperparameters, lambda, train_size.
#' @return list: x (matrix over the window, columns of problem$predictors), y, train (rows of the
#'   model's own fit), problem, fit(rows, y): coefficients, intercept first, of the regression
#'   on `rows` of x and the target `y`, as long as `rows`.
#' @noRd
refit_model <- function(inputs, cfg, row) {
  stopifnot(nrow(row) == 1)
  cfg$dt_hyper_fixed <- as.list(row)
  problem <- search_problem(inputs, search_settings(inputs, cfg))
  values <- as.numeric(unlist(problem$space$fixed))
  position <- problem$positions
  media <- media_transformer(problem)(values)$saturated
  x <- unname(cbind(problem$static, do.call(cbind, media)))
  penalty <- if (cfg$add_penalty_factor) values[position$penalty] else rep(1, ncol(x))
  limits_of <- function(rows) do.call(ridge_limits, trend_limits(problem, rows))
  regress <- regression(problem, limits_of(seq_len(problem$rows)))
  list(
    x = x, y = problem$y, problem = problem,
    train = split_rows(problem$rows, values[position$train_size])$train,
    fit = function(rows, y = problem$y[rows]) {
      stopifnot(length(y) == length(rows))
      regress(
        x[rows, , drop = FALSE], y, values[position$lambda], limits_of(rows), penalty
      )$coefficients
    }
  )
}
