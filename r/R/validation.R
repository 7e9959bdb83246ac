# Rolling validation: the chosen model, refitted to the periods before a cut, predicts the next
# ones.

#' Validate a model on the last `folds * horizon` periods of its window.
#'
#' Each fold fits the ridge regression to every period before its cut and predicts the next
#' `horizon` periods. Predicted periods do not overlap, and the last fold ends with the window. A
#' fold that leaves less than half of the window to fit is dropped, with a warning.
#'
#' @param model refit_model() result.
#' @param dates of the window's periods.
#' @param folds,horizon whole numbers from 1.
#' @return list(folds, horizon, mean (rsq, nrmse, mape), by_fold (list of train_periods, start,
#'   end, rsq, nrmse, mape)); NULL if no fold is left.
#' @noRd
rolling_validation <- function(model, dates, folds, horizon) {
  stopifnot(folds >= 1, horizon >= 1, length(dates) == length(model$y))
  cuts <- fold_cuts(length(dates), folds, horizon)
  if (length(cuts) < folds) {
    warning(sprintf(
      "`outputs.validation` uses %d of %d folds of %d periods; the fit needs half of the %d.",
      length(cuts), folds, horizon, length(dates)
    ), call. = FALSE)
  }
  if (!length(cuts)) return(NULL)
  by_fold <- lapply(cuts, function(cut) {
    ahead <- cut + seq_len(horizon)
    predicted <- predict_model(model, model$fit(seq_len(cut)), ahead)
    c(
      list(train_periods = cut, start = format(dates[cut + 1]), end = format(dates[cut + horizon])),
      prediction_errors(model$y[ahead], predicted)
    )
  })
  figure <- function(name) {
    values <- vapply(by_fold, `[[`, 0, name)
    if (all(is.na(values))) NA_real_ else mean(values, na.rm = TRUE)
  }
  list(
    folds = length(cuts), horizon = horizon,
    mean = sapply(c("rsq", "nrmse", "mape"), figure, simplify = FALSE), by_fold = by_fold
  )
}

#' Periods before each cut, the earliest cut first.
#' @noRd
fold_cuts <- function(periods, folds, horizon) {
  cuts <- as.integer(periods - horizon * rev(seq_len(folds)))
  cuts[cuts >= periods / 2]
}

#' Errors of a prediction: R squared, NRMSE as in the search, and mean absolute error relative to
#' the actual values that are not 0. An undefined error is NA.
#' @noRd
prediction_errors <- function(actual, predicted) {
  defined <- function(x) if (is.finite(x)) x else NA_real_
  off <- abs(predicted - actual)
  list(
    rsq = defined(1 - sum(off^2) / sum((actual - mean(actual))^2)),
    nrmse = defined(nrmse(actual, predicted)),
    mape = defined(mean((off / abs(actual))[actual != 0]))
  )
}
