# Robyn's tables from the record of a trial, made once at its end.

#' A trial as an element of `robyn_run()`'s result.
#'
#' @param record from `run_iterations()`.
#' @param elapsed seconds.
#' @noRd
collect_trial <- function(problem, settings, record, trial, elapsed) {
  common <- common_columns(problem, settings, record, trial)
  collect <- list(
    resultHypParam = trial_hyperparameters(problem, record, common),
    xDecompAgg = trial_decomposition(problem, record, common)
  )
  if (!is.null(problem$studies)) collect$liftCalibration <- trial_lifts(problem, record, common)
  collect$iter <- 0L
  collect$elapsed.min <- c(elapsed = elapsed / 60)
  list(
    resultCollect = collect, hyperBoundNG = problem$space$updated,
    hyperBoundFixed = problem$space$fixed, trial = trial
  )
}

# The columns that all tables of a trial share, a row per model.
common_columns <- function(problem, settings, record, trial) {
  models <- ncol(record$row)
  scores <- stats::setNames(lapply(seq_along(SCORES), function(i) record$scores[i, ]), SCORES)
  # Without validation, Robyn's columns are logical NA.
  if (all(record$row[problem$positions$train_size, ] >= 1)) {
    scores[c("rsq_val", "rsq_test", "nrmse_val", "nrmse_test")] <- list(rep(NA, models))
  }
  workers <- settings$workers
  batch <- as.integer((seq_len(models) - 1L) %/% workers + 1L)
  within <- as.integer((seq_len(models) - 1L) %% workers + 1L)
  c(scores, list(
    lambda_max = rep(problem$lambda_max, models),
    lambda_min_ratio = rep(problem$lambda_min_ratio, models),
    solID = paste(trial, batch, within, sep = "_"), trial = rep(trial, models),
    iterNG = batch, iterPar = within
  ))
}

#' resultHypParam: hyperparameters and errors, a row per model.
#' @noRd
trial_hyperparameters <- function(problem, record, common) {
  columns <- problem$space$columns
  kept <- which(columns != "lambda")
  values <- stats::setNames(lapply(kept, function(i) record$row[i, ]), columns[kept])
  media <- names(problem$media)
  figure <- function(name) {
    rows <- media_rows(problem, name)
    stats::setNames(lapply(rows, function(i) record$media[i, ]), paste0(media, "_", name))
  }
  own <- record$time[1, ]
  since <- record$time[2, ]
  first <- which.min(since)
  cut <- match("lambda_min_ratio", names(common))
  positive <- colSums(trial_totals(problem, record)$all < 0) == 0
  tibble::as_tibble(c(
    values, figure("inflexion"), figure("inflation"), common[seq_len(cut)],
    list(
      pos = as.numeric(positive), Elapsed = own, ElapsedAccum = since - since[first] + own[first]
    ),
    common[-seq_len(cut)]
  ))
}

# Rows of record$media with a figure, one per medium.
media_rows <- function(problem, figure) {
  count <- length(problem$media)
  (match(figure, MEDIA_FIGURES) - 1L) * count + seq_len(count)
}

# Contributions of intercept and predictors over the window and over its added part, and their means
# over the periods where they are not zero (0 if nothing is positive: Robyn's rule). Predictors x
# models.
trial_totals <- function(problem, record) {
  coefficients <- record$coefficients
  over <- function(rows, sum_figure, present_figure) {
    static <- problem$static[rows, , drop = FALSE]
    models <- ncol(coefficients)
    repeated <- function(x) matrix(x, length(x), models)
    sums <- rbind(
      repeated(c(length(rows), colSums(static))),
      record$media[media_rows(problem, sum_figure), , drop = FALSE]
    )
    present <- rbind(
      repeated(c(length(rows), colSums(static != 0))),
      record$media[media_rows(problem, present_figure), , drop = FALSE]
    )
    media <- record$media[media_rows(problem, present_figure), , drop = FALSE] > 0
    above <- rbind(repeated(c(TRUE, colSums(static > 0) > 0)), media)
    below <- rbind(repeated(c(FALSE, colSums(static < 0) > 0)), media & FALSE)
    total <- coefficients * sums
    mean <- total / present
    mean[!((coefficients > 0 & above) | (coefficients < 0 & below))] <- 0
    list(total = total, mean = mean)
  }
  all <- over(seq_len(problem$rows), "sum", "present")
  added <- if (length(problem$added) == problem$rows) all
  else over(problem$added, "sum_added", "present_added")
  list(all = all$total, all_mean = all$mean, added = added$total, added_mean = added$mean)
}

#' xDecompAgg: coefficient and contribution, a row per model and variable.
#' @noRd
trial_decomposition <- function(problem, record, common) {
  total <- trial_totals(problem, record)
  share <- function(x) as.vector(x / rep(colSums(x), each = nrow(x)))
  models <- ncol(record$row)
  rn <- c("(Intercept)", problem$predictors)
  size <- length(rn)
  # Effect shares among the paid media; NA for other variables, and if no paid medium has an effect.
  effect <- function(x) {
    paid <- 1L + ncol(problem$static) + problem$paid
    perc <- matrix(share(x), size)[paid, , drop = FALSE]
    out <- matrix(NA_real_, size, models)
    out[paid, ] <- perc / rep(colSums(perc), each = length(paid))
    out
  }
  effect_share <- effect(total$all)
  dead <- is.infinite(record$scores[match("decomp.rssd", SCORES), ])
  effect_share[, dead][is.nan(effect_share[, dead])] <- NA
  spend <- problem$spend[match(rn, problem$spend$rn), ]
  each <- function(x) rep(x, each = size)
  tibble::as_tibble(c(
    list(
      rn = rep(rn, models), coef = as.vector(record$coefficients),
      xDecompAgg = as.vector(total$all), xDecompPerc = share(total$all),
      xDecompMeanNon0 = as.vector(total$all_mean), xDecompMeanNon0Perc = share(total$all_mean),
      xDecompAggRF = as.vector(total$added), xDecompPercRF = share(total$added),
      xDecompMeanNon0RF = as.vector(total$added_mean),
      xDecompMeanNon0PercRF = share(total$added_mean), pos = as.vector(total$all >= 0),
      spend_share = rep(spend$spend_share, models),
      spend_share_refresh = rep(spend$spend_share_refresh, models),
      mean_spend = rep(spend$mean_spend, models), total_spend = rep(spend$total_spend, models),
      mean_exposure = rep(spend$mean_exposure, models),
      mean_exposure_refresh = rep(spend$mean_exposure_refresh, models),
      effect_share = as.vector(effect_share),
      effect_share_refresh = as.vector(effect(total$added)),
      train_size = each(record$row[problem$positions$train_size, ])
    ),
    lapply(common, each)
  ))
}

#' liftCalibration: lift of the experiment and of the model, a row per model and experiment.
#' @noRd
trial_lifts <- function(problem, record, common) {
  studies <- problem$studies
  models <- ncol(record$row)
  size <- length(studies)
  field <- function(name) rep(do.call(c, lapply(studies, `[[`, name)), models)
  lift <- array(record$lift, c(3, size, models))
  table <- c(
    list(
      liftMedia = field("media"), liftStart = field("start"), liftEnd = field("end"),
      liftAbs = field("lift"), decompStart = field("model_start"), decompEnd = field("model_end"),
      decompAbsScaled = as.vector(lift[1, , ]), decompAbsTotalScaled = as.vector(lift[2, , ]),
      calibrated_pct = as.vector(lift[1, , ] / lift[2, , ]), mape_lift = as.vector(lift[3, , ])
    ),
    lapply(common, rep, each = size)
  )
  tibble::as_tibble(lapply(table, `[`, order(table$mape, table$liftMedia, table$liftStart)))
}
