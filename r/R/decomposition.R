# The contribution of each variable, in total and by date.

#' xDecompAgg of the candidates, with response, carry-over, ROAS and CPA per channel.
#'
#' @param ranked rank_models() result.
#' @param means media_means() result.
#' @param clusters cluster_models() result.
#' @param inputs InputCollect.
#' @return data.table with Robyn's columns of pareto_aggregated.csv, one row a model and variable.
#' @noRd
aggregate_decomposition <- function(ranked, means, clusters, inputs) {
  agg <- merge(ranked$agg, means, by = c("solID", "rn"), all.x = TRUE, sort = FALSE)
  agg[, roi_mean := mean_response / mean_spend]
  agg[, roi_total := xDecompAgg / total_spend]
  agg[, cpa_mean := mean_spend / mean_response]
  agg[, cpa_total := total_spend / xDecompAgg]
  chosen <- match(agg$solID, clusters$data$solID)
  agg[, cluster := clusters$data$cluster[chosen]]
  agg[, top_sol := clusters$data$top_sol[chosen]]
  measure <- if (inputs$dep_var_type == "conversion") "cpa_total" else "roi_total"
  paid <- agg[!is.na(total_spend) & !is.na(cluster)]
  performance <- paid[, list(solID, cluster, rn, value = paid[[measure]])]
  intervals <- cluster_intervals(performance)
  agg <- merge(agg, intervals, by = c("cluster", "rn"), all.x = TRUE, sort = FALSE)
  order <- order(
    match(agg$solID, ranked$hyp$solID),
    match(agg$rn, c("(Intercept)", inputs$all_ind_vars))
  )
  agg[order]
}

#' Contribution of every variable in every period of the window.
#'
#' @param transformed transform_models() result of the models wanted.
#' @param agg aggregate_decomposition() result.
#' @return list by model id of data.frames: ds, dep_var, each variable, intercept, and depVarHat,
#'   which is their sum.
#' @noRd
decompose_by_date <- function(inputs, agg, transformed) {
  window <- as.data.frame(inputs$dt_modRollWind)
  lapply(stats::setNames(names(transformed), names(transformed)), function(id) {
    rows <- agg[solID == id]
    coefficient <- stats::setNames(rows$coef, rows$rn)
    parts <- lapply(stats::setNames(inputs$all_ind_vars, inputs$all_ind_vars), function(v) {
      medium <- transformed[[id]][[v]]
      if (!is.null(medium)) return(medium$saturated * medium$coef)
      as.numeric(window[[v]]) * coefficient[[v]]
    })
    intercept <- if ("(Intercept)" %in% rows$rn) coefficient[["(Intercept)"]] else 0
    table <- data.frame(
      ds = as.Date(window$ds), dep_var = window$dep_var, parts, intercept = intercept,
      check.names = FALSE
    )
    table$depVarHat <- rowSums(table[c(inputs$all_ind_vars, "intercept")])
    table
  })
}
