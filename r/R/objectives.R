# The objectives of the search: NRMSE (fit) and DECOMP.RSSD (effect against spend).

#' Root mean squared error over the range of the actual values.
#' @noRd
nrmse <- function(actual, predicted) {
  sqrt(mean((actual - predicted)^2)) / (max(actual) - min(actual))
}

#' Adjusted R squared, by Robyn's formula.
#'
#' @param p number of predictors.
#' @param intercepts 1, or 0 without intercept.
#' @param n number of observations in the training set.
#' @noRd
adjusted_rsq <- function(actual, predicted, p, intercepts, n) {
  rsq <- 1 - sum((predicted - actual)^2) / sum((actual - mean(actual))^2)
  1 - (1 - rsq) * ((n - intercepts) / (n - p - 1))
}

#' Distance of the paid media's effect shares from their spend shares.
#'
#' @param effect_share,spend_share one entry per paid medium; each sums to 1.
#' @param zero_penalty raise the distance by the share of media without effect.
#' @return one number; Inf if no medium has an effect.
#' @noRd
decomposition_rssd <- function(effect_share, spend_share, zero_penalty) {
  rssd <- sqrt(sum((effect_share - spend_share)^2))
  if (zero_penalty) rssd <- rssd * (1 + sum(round(effect_share, 4) == 0) / length(effect_share))
  if (is.nan(rssd)) Inf else rssd
}

#' Distance of a refreshed model's decomposition from that of the previous model.
#'
#' @param share decomposition share of the intercept and every predictor.
#' @param previous list(share, paid, kept): shares of the previous model, which of them are paid
#'   media, and the share of the window that is not new.
#' @noRd
refresh_rssd <- function(share, previous) {
  squared <- (share - previous$share)^2
  rssd <- sqrt(mean(squared[previous$paid])) + sqrt(mean(squared[!previous$paid])) / previous$kept
  if (is.nan(rssd)) Inf else rssd
}

#' Rows of the training, validation and test sets.
#'
#' @param rows rows of the window.
#' @param train_size share of them to train on.
#' @return list(train, validation, test) of integer vectors; the latter two NULL at train_size 1.
#' @noRd
split_rows <- function(rows, train_size) {
  if (train_size >= 1) return(list(train = seq_len(rows)))
  train <- floor(sequence_quantile(rows, train_size))
  validation <- train + floor((1 - train_size) / 2 * rows)
  list(train = 1:train, validation = (train + 1):validation, test = (validation + 1):rows)
}
