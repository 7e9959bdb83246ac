# The tables that people query. The job's tables.py declares the same columns and types.

#' Kind and channel of each variable of the model.
#'
#' @return data.table rn, variable, kind, channel (name of the paid channel or organic variable).
#' @noRd
variable_kinds <- function(inputs, cfg) {
  kinds <- list(
    intercept = "(Intercept)", prophet = inputs$prophet_vars, context = inputs$context_vars,
    paid_media = inputs$paid_media_selected, organic = inputs$organic_vars
  )
  table <- data.table::data.table(
    rn = unlist(kinds, use.names = FALSE), kind = rep(names(kinds), lengths(kinds))
  )
  table[, variable := ifelse(rn == "(Intercept)", "intercept", rn)]
  table[, channel := cfg$channel_names[match(rn, cfg$channel_exposures)]]
  table[kind == "organic", channel := rn]
  table[]
}

#' Every model that the search tried.
#' @noRd
pareto_table <- function(hyp, best) {
  hyp[, list(
    model_id = solID, trial, iteration = as.integer(iterations), nrmse, decomp_rssd = decomp.rssd,
    mape, rsq_train, pareto_front = robynPareto, is_candidate = candidate,
    is_best_model = solID == best
  )]
}

#' The candidates with fit, cluster and hyperparameters (a JSON object).
#' @noRd
models_table <- function(hyp, clusters, best) {
  candidates <- hyp[candidate == TRUE]
  group <- clusters$data[match(candidates$solID, solID)]
  names <- grep("_(alphas|gammas|thetas|shapes|scales|penalty)$", names(hyp), value = TRUE)
  values <- as.matrix(candidates[, names, with = FALSE])
  candidates[, list(
    model_id = solID, trial, iteration = as.integer(iterations), is_best_model = solID == best,
    is_cluster_winner = !is.na(group$top_sol) & group$top_sol, cluster = group$cluster,
    pareto_front = robynPareto, error_score = group$error_score, nrmse, nrmse_train,
    nrmse_val = as.numeric(nrmse_val), nrmse_test = as.numeric(nrmse_test), rsq_train,
    rsq_val = as.numeric(rsq_val), rsq_test = as.numeric(rsq_test), decomp_rssd = decomp.rssd,
    mape, lambda, lambda_share = lambda_hp, train_size, all_signs_positive = pos == 1,
    has_zero_channel = coef0, hyperparameters = apply(values, 1, hyperparameter_json)
  )]
}

hyperparameter_json <- function(values) {
  as.character(jsonlite::toJSON(as.list(values), auto_unbox = TRUE, digits = NA))
}

#' Contribution of each variable of each candidate over the window.
#'
#' @param intervals model_intervals() result.
#' @noRd
decomposition_table <- function(agg, kinds, best, intervals) {
  kind <- kinds[match(agg$rn, rn)]
  interval <- intervals$table[match(paste(agg$solID, agg$rn), paste(solID, rn))]
  agg[, list(
    model_id = solID, is_best_model = solID == best, variable = kind$variable, kind = kind$kind,
    channel = kind$channel, coefficient = coef, contribution = xDecompAgg,
    contribution_share = xDecompPerc, spend = total_spend, spend_share, effect_share,
    mean_spend, mean_input = mean_spend_adstocked, mean_response, mean_exposure,
    carryover_share = carryover_pct, roas = finite(roi_total), cpa = finite(cpa_total),
    interval_method = ifelse(is.na(interval$share_low), NA, intervals$method),
    interval_mean = interval$mean, interval_low = interval$low, interval_high = interval$high,
    share_low = interval$share_low, share_high = interval$share_high
  )]
}

finite <- function(x) replace(x, !is.finite(x), NA_real_)

#' Contribution of each variable in each period.
#' @noRd
decomposition_by_date_table <- function(by_date, kinds, best) {
  data.table::rbindlist(lapply(names(by_date), function(id) {
    table <- data.table::as.data.table(by_date[[id]])
    long <- data.table::melt(
      table, id.vars = c("ds", "dep_var", "depVarHat"), variable.name = "variable",
      value.name = "contribution", variable.factor = FALSE
    )
    kind <- kinds[match(long$variable, variable)]
    long[, list(
      model_id = id, is_best_model = id == best, date = ds, variable, kind = kind$kind,
      channel = kind$channel, contribution, actual = dep_var, predicted = depVarHat
    )]
  }))
}

response_curves_table <- function(curves, kinds, best) {
  kind <- kinds[match(curves$rn, rn)]
  curves[, list(
    model_id = solID, is_best_model = solID == best, variable = rn, kind = kind$kind,
    channel = kind$channel, point, input, response, marginal_response, is_observed = observed
  )]
}

#' Allocations of all scenarios and models, one row per channel.
#' @noRd
allocation_table <- function(allocations, kinds, best, periods) {
  if (!length(allocations)) return(no_rows(ALLOCATION_COLUMNS))
  data.table::rbindlist(lapply(allocations, function(a) {
    rows <- a$rows
    rows[, list(
      model_id = a$model, is_best_model = a$model == best, scenario_number = a$number,
      scenario = a$scenario, variable = rn, channel = kinds$channel[match(rn, kinds$rn)],
      periods = periods, total_budget = periods * sum(spend_optimal),
      target_value = attr(rows, "target"), is_feasible = attr(rows, "feasible"),
      spend_now, spend_optimal, spend_share_now = share(spend_now),
      spend_share_optimal = share(spend_optimal), lower_bound = lower, upper_bound = upper,
      response_now, response_optimal, marginal_response_now = marginal_now,
      marginal_response_optimal = marginal_optimal
    )]
  }))
}

ALLOCATION_COLUMNS <- c(
  "model_id", "is_best_model", "scenario_number", "scenario", "variable", "channel", "periods",
  "total_budget", "target_value", "is_feasible", "spend_now", "spend_optimal", "spend_share_now",
  "spend_share_optimal", "lower_bound", "upper_bound", "response_now", "response_optimal",
  "marginal_response_now", "marginal_response_optimal"
)

#' An empty table with these columns.
#' @noRd
no_rows <- function(columns) {
  data.table::setDT(stats::setNames(rep(list(character()), length(columns)), columns))[]
}

share <- function(x) if (sum(x) > 0) x / sum(x) else x * NA_real_

#' Write the tables as CSV: full precision, ISO dates, empty fields for missing values.
#'
#' @param tables named list of data.tables.
#' @param output_dir folder of the folder `tables`.
#' @noRd
write_tables <- function(tables, output_dir) {
  folder <- file.path(output_dir, "tables")
  dir.create(folder, showWarnings = FALSE)
  for (name in names(tables)) {
    write_atomically(file.path(folder, paste0(name, ".csv")), function(path) {
      data.table::fwrite(tables[[name]], path, na = "", dateTimeAs = "ISO", logical01 = FALSE)
    })
  }
  invisible(tables)
}
