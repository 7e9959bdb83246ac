# metrics.json: the figures of the best model, for people and for monitoring.

#' The content of metrics.json.
#'

#' @param made list(hyp, agg, clusters, fronts, best, kinds, intervals).
#' @param models OutputModels.
#' @return list; missing values are NULL or NA, which become null.
#' @noRd
model_metrics <- function(inputs, models, made) {
  row <- made$hyp[solID == made$best]
  group <- made$clusters$data[solID == made$best]
  revenue <- inputs$dep_var_type == "revenue"
  number <- function(x) if (length(x) == 1 && is.finite(x)) as.numeric(x) else NA
  list(
    best_model = made$best, trial = row$trial, iteration = as.integer(row$iterations),
    target = inputs$dep_var, target_kind = inputs$dep_var_type,
    window_start = format(inputs$dt_modRollWind$ds[1]),
    window_end = format(utils::tail(inputs$dt_modRollWind$ds, 1)),
    rows = nrow(inputs$dt_modRollWind),
    rsq_train = number(row$rsq_train), rsq_val = number(row$rsq_val),
    rsq_test = number(row$rsq_test), nrmse = number(row$nrmse),
    nrmse_train = number(row$nrmse_train), nrmse_val = number(row$nrmse_val),
    nrmse_test = number(row$nrmse_test), decomp_rssd = number(row$decomp.rssd),
    mape = number(row$mape), error_score = number(group$error_score),
    cluster = as.integer(group$cluster),
    performance_measure = if (revenue) "roas" else "cpa",
    channels = channel_metrics(made, revenue),
    contribution_shares = contribution_shares(made),
    intervals = made$intervals[setdiff(names(made$intervals), "table")],
    convergence = convergence_metrics(models$convergence$errors),
    trials = trial_endings(models),
    models = list(
      tried = nrow(made$hyp), candidates = sum(made$hyp$candidate),
      pareto_fronts = made$fronts, clusters = made$clusters$k,
      cluster_winners = as.list(made$clusters$models$solID)
    )
  )
}

#' Contribution share of each variable in the best model.
#' @noRd
contribution_shares <- function(made) {
  rows <- made$agg[solID == made$best]
  stats::setNames(as.list(rows$xDecompPerc), made$kinds$variable[match(rows$rn, made$kinds$rn)])
}

channel_metrics <- function(made, revenue) {
  rows <- made$agg[solID == made$best & !is.na(total_spend)]
  number <- function(x) if (length(x) == 1 && is.finite(x)) x else NA
  lapply(seq_len(nrow(rows)), function(i) {
    r <- rows[i]
    measure <- if (revenue) list(roas = number(r$roi_total)) else list(cpa = number(r$cpa_total))
    interval <- made$intervals$table[solID == r$solID & rn == r$rn]
    c(
      list(name = made$kinds$channel[match(r$rn, made$kinds$rn)], variable = r$rn), measure,
      list(
        interval_method = if (isTRUE(is.finite(interval$share_low))) made$intervals$method else NA,
        interval_low = number(interval$low), interval_high = number(interval$high),
        coefficient = r$coef, contribution = r$xDecompAgg, contribution_share = r$xDecompPerc,
        contribution_share_low = number(interval$share_low),
        contribution_share_high = number(interval$share_high),
        spend = r$total_spend, spend_share = r$spend_share, effect_share = number(r$effect_share),
        mean_spend = r$mean_spend, mean_response = r$mean_response,
        carryover_share = number(r$carryover_pct)
      )
    )
  })
}

#' Robyn's convergence rule in numbers: its last quantile against the first ones.
#'
#' @param errors convergence$errors of OutputModels, or NULL.
#' @return list by objective: converged, last_sd, sd_limit, last_median, median_limit.
#' @noRd
convergence_metrics <- function(errors) {
  if (is.null(errors)) return(NULL)
  errors <- as.data.frame(errors)
  last <- lapply(split(errors, as.character(errors$error_type)), utils::tail, 1)
  names(last) <- tolower(gsub("[.]", "_", names(last)))
  lapply(last, function(row) {
    list(
      converged = isTRUE(row$flag_sd && row$flag_med), last_sd = row$last_sd,
      sd_limit = row$first_sd_avg, last_median = row$last_med, median_limit = row$med_thres
    )
  })
}
