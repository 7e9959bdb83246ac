# The self-check: Robyn recomputes models of the search, and the results are compared.

SELFCHECK_TOLERANCE <- 1e-8
SELFCHECK_MODELS <- 8 # models to recompute, including those chosen by id

# The figures of a model that outputs use.
SELFCHECK_ERRORS <- c(
  "rsq_train", "rsq_val", "rsq_test", "nrmse_train", "nrmse_val", "nrmse_test", "nrmse",
  "decomp.rssd", "mape", "lambda"
)
SELFCHECK_DECOMPOSITION <- c(
  "coef", "xDecompAgg", "xDecompPerc", "xDecompMeanNon0", "xDecompMeanNon0Perc", "xDecompAggRF",
  "xDecompPercRF", "xDecompMeanNon0RF", "xDecompMeanNon0PercRF", "mean_spend", "total_spend",
  "mean_exposure", "spend_share", "spend_share_refresh", "effect_share", "effect_share_refresh"
)

#' Recompute a sample of models with Robyn and compare.
#'
#' @param inputs InputCollect.
#' @param models OutputModels of the search.
#' @param cfg the job's
#'   configuration.
#' @param chosen ids of models to include in the sample.
#' @return list for the result file: models (ids), largest_difference (relative, over errors,
#'   coefficients and decomposition), where (the figure that differs most), tolerance, passed.
#' @noRd
robyn_selfcheck <- function(inputs, models, cfg, chosen) {
  trials <- models[grepl("^trial[0-9]+$", names(models))]
  ids <- sample_models(trials, chosen, SELFCHECK_MODELS)
  largest <- list(difference = 0, where = NA_character_)
  for (id in ids) {
    trial <- trials[[paste0("trial", sub("_.*", "", id))]]$resultCollect
    theirs <- recompute_model(inputs, trial, id, cfg)
    found <- compare_model(trial, theirs, id)
    # A figure that only one side has must not pass, so NA counts as the largest difference.
    if (is.na(found$difference) || found$difference > largest$difference) largest <- found
    if (is.na(largest$difference)) break
  }
  difference <- if (is.na(largest$difference)) Inf else largest$difference
  list(
    models = as.list(ids), largest_difference = if (is.finite(difference)) difference,
    where = if (is.na(largest$where)) NULL else largest$where,
    tolerance = SELFCHECK_TOLERANCE, passed = difference <= SELFCHECK_TOLERANCE
  )
}

#' Ids of models to recompute: the `chosen`, then evenly spaced models of all trials.
#' @noRd
sample_models <- function(trials, chosen, size) {
  all <- unlist(lapply(trials, function(t) t$resultCollect$resultHypParam$solID), use.names = FALSE)
  stopifnot(length(all) > 0, all(chosen %in% all))
  rest <- setdiff(all, chosen)
  count <- min(max(size - length(chosen), 1), length(rest))
  c(chosen, rest[unique(round(seq(1, length(rest), length.out = count)))])
}

#' Recompute one model from its hyperparameters with robyn_mmm.
#'
#' @return list(resultHypParam, xDecompAgg, liftCalibration) of one model.
#' @noRd
recompute_model <- function(inputs, trial, id, cfg) {
  row <- trial$resultHypParam[trial$resultHypParam$solID == id, ]
  names <- Robyn::hyper_names(inputs$adstock, inputs$all_media)
  names <- c(names, "lambda", "train_size")
  if (cfg$add_penalty_factor) {
    variables <- setdiff(names(inputs$dt_mod), c("ds", "dep_var"))
    names <- c(names, paste0(variables, "_penalty"))
  }
  fixed <- as.list(row[names])
  # The arguments of robyn_run to robyn_mmm for a model whose hyperparameters are all fixed.
  collect <- list(
    hyper_list_all = fixed, hyper_bound_list_updated = list(), hyper_bound_list_fixed = fixed,
    dt_hyper_fixed_mod = as.data.frame(fixed, check.names = FALSE), all_fixed = TRUE
  )
  made <- ask_robyn("robyn_mmm", Robyn::robyn_mmm(
    InputCollect = inputs, hyper_collect = collect, iterations = 1, cores = 1,
    nevergrad_algo = cfg$nevergrad_algo, intercept = cfg$intercept,
    intercept_sign = cfg$intercept_sign, ts_validation = cfg$ts_validation,
    add_penalty_factor = cfg$add_penalty_factor, objective_weights = cfg$objective_weights,
    dt_hyper_fixed = fixed, rssd_zero_penalty = cfg$rssd_zero_penalty,
    refresh = isTRUE(cfg$refresh), trial = 1L, seed = cfg$seed, quiet = TRUE
  ))
  made$resultCollect
}

#' Largest relative difference between our model `id` and Robyn's.
#'
#' @return list(difference, where); difference is NA if only one side has a figure.
#' @noRd
compare_model <- function(ours, theirs, id) {
  worst <- list(difference = 0, where = NA_character_)
  note <- function(a, b, where) {
    difference <- relative_difference(a, b)
    if (is.na(worst$difference)) return(invisible())
    if (is.na(difference) || difference > worst$difference) {
      worst <<- list(difference = difference, where = paste(id, where))
    }
  }
  mine <- ours$resultHypParam[ours$resultHypParam$solID == id, ]
  scaled <- grep("_(inflexion|inflation)$", names(theirs$resultHypParam), value = TRUE)
  for (column in c(SELFCHECK_ERRORS, scaled)) {
    note(mine[[column]], theirs$resultHypParam[[column]], column)
  }
  mine <- ours$xDecompAgg[ours$xDecompAgg$solID == id, ]
  yours <- theirs$xDecompAgg
  if (!identical(as.character(mine$rn), as.character(yours$rn))) {
    return(list(difference = NA_real_, where = paste(id, "variables")))
  }
  for (column in SELFCHECK_DECOMPOSITION) note(mine[[column]], yours[[column]], column)
  if (!is.null(theirs$liftCalibration)) {
    mine <- ours$liftCalibration[ours$liftCalibration$solID == id, ]
    order_lift <- function(x) x[order(x$liftMedia, x$liftStart, x$liftEnd), ]
    note(order_lift(mine)$mape_lift, order_lift(theirs$liftCalibration)$mape_lift, "mape_lift")
  }
  worst
}

#' Largest difference of two vectors, each element relative to its own size.
#'
#' Elements below a billionth of the largest are rounding, so they are relative to that size. The
#' result is zero if no value is finite, and NA if lengths, or missing or infinite values, differ.
#' @noRd
relative_difference <- function(a, b) {
  a <- as.numeric(a)
  b <- as.numeric(b)
  if (length(a) != length(b)) return(NA_real_)
  if (!identical(is.na(a), is.na(b))) return(NA_real_)
  endless <- is.infinite(a) | is.infinite(b)
  if (any(endless & !is.na(endless)) && !identical(a[which(endless)], b[which(endless)])) {
    return(NA_real_)
  }
  kept <- is.finite(a) & is.finite(b)
  if (!any(kept)) return(0)
  size <- pmax(abs(a[kept]), abs(b[kept]))
  if (max(size) == 0) return(0)
  max(abs(a[kept] - b[kept]) / pmax(size, 1e-9 * max(size)))
}
