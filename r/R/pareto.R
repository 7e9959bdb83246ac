# The candidates among all models of the search, by Robyn's rules for Pareto fronts.

#' Combine the tables of all trials and add the number of the iteration.
#'
#' @param models OutputModels: trial1..trialN and their settings.
#' @return list(hyp, agg, lift): data.tables of resultHypParam, xDecompAgg and liftCalibration
#'   (NULL without calibration).
#' @noRd
collect_trials <- function(models) {
  trials <- Filter(function(m) is.list(m) && "resultCollect" %in% names(m), unclass(models))
  if (!length(trials)) abort("mmm_model_error", "No trial has results.")
  bind <- function(table) {
    parts <- lapply(unname(trials), function(m) {
      part <- m$resultCollect[[table]]
      if (is.null(part)) return(NULL)
      part <- data.table::as.data.table(part)
      part[, trial := m$trial]
      part
    })
    rows <- data.table::rbindlist(parts, use.names = TRUE, fill = TRUE)
    if (!nrow(rows)) return(NULL)
    rows[, iterations := (iterNG - 1) * models$cores + iterPar]
    rows[]
  }
  list(hyp = bind("resultHypParam"), agg = bind("xDecompAgg"), lift = bind("liftCalibration"))
}

#' Number of the Pareto front of each point: 1 is the best; lower x and lower y are better.
#'
#' Every point joins the first front whose smallest y so far is greater than its own. That gives the
#' same fronts as removing front after front, in n log n. Equal points share the lower front.
#'
#' @param x,y numeric, of equal length, without NA.
#' @noRd
pareto_fronts <- function(x, y) {
  stopifnot(length(x) == length(y), !anyNA(x), !anyNA(y))
  if (!length(x)) return(integer())
  order <- order(x, y)
  lowest <- numeric()
  front <- integer(length(x))
  for (i in order) {
    # `lowest` ascends with the front, so a binary search finds the front.
    f <- findInterval(y[i], lowest) + 1L
    lowest[f] <- y[i]
    front[i] <- f
  }
  points <- data.table::data.table(x = x, y = y, front = front)
  points[, front := min(front), by = c("x", "y")]
  points$front
}

#' Robyn's weighted distance of a model's errors from zero, each scaled to 0..1 over all rows.
#'
#' @param nrmse,rssd,mape numeric, of equal length.
#' @return numeric, lower is better.
#' @noRd
error_score <- function(nrmse, rssd, mape) {
  scaled <- function(x) {
    # Robyn's rule: an infinite value counts as one.
    x[is.infinite(x)] <- 1
    x[is.nan(x)] <- 1
    spread <- diff(range(x, na.rm = TRUE))
    if (length(x) > 1 && spread > 0) x <- (x - min(x, na.rm = TRUE)) / spread
    x[is.na(x)] <- 0
    x / 3
  }
  sqrt(scaled(nrmse)^2 + scaled(rssd)^2 + scaled(mape)^2)
}

#' Rank every model by Pareto front and error score, and choose the candidates.
#'
#' The ranking has the models within the best 90 % of NRMSE and DECOMP.RSSD, and with calibration
#' within the best `calibration_constraint` of MAPE. With "auto", the candidates are the models of
#' the first fronts that together have `min_candidates` models. If there are fewer, Robyn stops;
#' here all are candidates, with a warning.
#'
#' @param trials collect_trials() result.
#' @param inputs InputCollect.
#' @param cfg configuration.
#' @return list(hyp, agg, fronts): hyp with coef0, mape.qt10, robynPareto, error_score, candidate.
#' @noRd
rank_models <- function(trials, inputs, cfg) {
  hyp <- data.table::copy(trials$hyp)
  paid <- trials$agg[rn %in% inputs$paid_media_selected]
  zero <- paid[, list(coef0 = min(coef, na.rm = TRUE) == 0), by = "solID"]
  hyp[, coef0 := zero$coef0[match(solID, zero$solID)]]
  limit <- function(x, p) stats::quantile(x, p, na.rm = TRUE, names = FALSE)
  hyp[, mape.qt10 := mape <= limit(mape, cfg$calibration_constraint) &
    nrmse <= limit(nrmse, 0.9) & decomp.rssd <= limit(decomp.rssd, 0.9)]
  ranked <- which(hyp$mape.qt10)
  hyp[, robynPareto := NA_integer_]
  hyp$robynPareto[ranked] <- pareto_fronts(hyp$nrmse[ranked], hyp$decomp.rssd[ranked])
  fit <- if (cfg$ts_validation) hyp$nrmse_test else hyp$nrmse_train
  hyp[, error_score := error_score(fit, decomp.rssd, mape)]
  fronts <- count_fronts(hyp$robynPareto, cfg)
  hyp[, candidate := !is.na(robynPareto) & robynPareto <= fronts]
  agg <- trials$agg[solID %in% hyp$solID[hyp$candidate]]
  agg[, robynPareto := hyp$robynPareto[match(solID, hyp$solID)]]
  list(hyp = hyp[], agg = agg[], fronts = fronts)
}

#' Number of fronts that make the candidates.
#' @noRd
count_fronts <- function(front, cfg) {
  if (!identical(cfg$pareto_fronts, "auto")) return(as.integer(cfg$pareto_fronts))
  sizes <- cumsum(tabulate(front[!is.na(front)]))
  enough <- which(sizes >= cfg$min_candidates)
  if (length(enough)) return(enough[1])
  warning(sprintf(
    "Only %d models are on Pareto fronts, fewer than `min_candidates` (%d); all are candidates.",
    max(sizes, 0), cfg$min_candidates
  ), call. = FALSE)
  length(sizes)
}
