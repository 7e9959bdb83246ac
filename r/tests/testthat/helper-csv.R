# Our tables held against the CSVs that Robyn writes.

#' The CSVs of robyn_outputs, by robyn_csv and as robyn_clusters writes its own.
write_robyn_csvs <- function(collect, inputs, folder) {
  collect$plot_folder <- paste0(folder, "/")
  Robyn::robyn_csv(
    inputs, collect, "pareto", calibrated = !is.null(inputs$calibration_input)
  )
  if (!is.null(collect$clusters)) {
    utils::write.csv(
      collect$clusters$data, file.path(folder, "pareto_clusters.csv"), row.names = FALSE
    )
    utils::write.csv(
      collect$clusters$df_cluster_ci, file.path(folder, "pareto_clusters_ci.csv"),
      row.names = FALSE
    )
  }
}

#' Where our tables say other than Robyn's CSVs in `folder`.
#'
#' @param made model_outputs() or robyn_model_outputs(). @return character, see differences().
csv_differences <- function(made, inputs, folder) {
  read <- function(name) {
    path <- file.path(folder, paste0("pareto_", name, ".csv"))
    if (file.exists(path)) utils::read.csv(path, check.names = FALSE)
  }
  tables <- lapply(made$tables, as.data.frame)
  c(
    csv_models(tables$models, read("hyperparameters"), read("clusters")),
    csv_decomposition(tables$decomposition, read("aggregated")),
    csv_by_date(tables$decomposition_by_date, read("alldecomp_matrix")),
    csv_media(made, inputs, read("media_transform_matrix"))
  )
}

# Robyn leaves out the columns of clusters and intervals where it finds too few models to cluster.
csv_models <- function(models, csv, clusters) {
  rows <- csv[match(models$model_id, csv$solID), ]
  # A model that is in no cluster, as it repeats another, wins none.
  if ("top_sol" %in% names(rows)) rows$top_sol <- rows$top_sol %in% TRUE
  group <- clusters[match(models$model_id, clusters$solID), ]
  hyper <- lapply(models$hyperparameters, jsonlite::fromJSON)
  theirs <- lapply(seq_along(hyper), function(i) as.list(rows[i, names(hyper[[i]])]))
  c(
    if (!setequal(csv$solID, models$model_id)) "pareto_hyperparameters.csv: other models",
    csv_columns(models, rows, "pareto_hyperparameters.csv", c(
      trial = "trial", iteration = "iterations", pareto_front = "robynPareto", nrmse = "nrmse",
      nrmse_train = "nrmse_train", nrmse_val = "nrmse_val", nrmse_test = "nrmse_test",
      rsq_train = "rsq_train", rsq_val = "rsq_val", rsq_test = "rsq_test",
      decomp_rssd = "decomp.rssd", mape = "mape", lambda = "lambda", lambda_share = "lambda_hp",
      train_size = "train_size", all_signs_positive = "pos", has_zero_channel = "coef0",
      if (!is.null(clusters)) c(cluster = "cluster", is_cluster_winner = "top_sol")
    )),
    csv_values(unlist(hyper), unlist(theirs), "pareto_hyperparameters.csv", "hyperparameters"),
    if (!is.null(clusters)) {
      csv_values(models$cluster, group$cluster, "pareto_clusters.csv", "cluster")
    }
  )
}

csv_decomposition <- function(table, csv) {
  variable <- ifelse(csv$rn == "(Intercept)", "intercept", csv$rn)
  at <- match(paste(table$model_id, table$variable), paste(csv$solID, variable))
  csv_columns(table, csv[at, ], "pareto_aggregated.csv", c(
    coefficient = "coef", contribution = "xDecompAgg", contribution_share = "xDecompPerc",
    spend = "total_spend", spend_share = "spend_share", effect_share = "effect_share",
    mean_spend = "mean_spend", mean_input = "mean_spend_adstocked",
    mean_response = "mean_response", mean_exposure = "mean_exposure", roas = "roi_total",
    cpa = "cpa_total",
    if ("cluster" %in% names(csv)) {
      c(
        carryover_share = "carryover_pct", interval_mean = "boot_mean", interval_low = "ci_low",
        interval_high = "ci_up"
      )
    }
  ))
}

csv_by_date <- function(table, csv) {
  rows <- match(paste(table$model_id, table$date), paste(csv$solID, csv$ds))
  theirs <- numeric(nrow(table))
  for (variable in unique(table$variable)) {
    own <- table$variable == variable
    theirs[own] <- csv[[variable]][rows[own]]
  }
  of <- "pareto_alldecomp_matrix.csv"
  c(
    csv_values(table$contribution, theirs, of, "contribution"),
    csv_columns(table, csv[rows, ], of, c(actual = "dep_var", predicted = "depVarHat"))
  )
}

# Input after adstock and response by date, of all candidates, from what the tables are made of.
csv_media <- function(made, inputs, csv) {
  of <- "pareto_media_transform_matrix.csv"
  series <- list(
    adstockedMedia = function(m) m$total, decompMedia = function(m) m$saturated * m$coef
  )
  unlist(lapply(names(series), function(type) {
    rows <- csv[csv$type == type, ]
    unlist(lapply(inputs$all_media, function(medium) {
      ours <- unlist(lapply(made$parts$transformed[unique(rows$solID)], function(media) {
        series[[type]](media[[medium]])
      }))
      csv_values(unname(ours), rows[[medium]], of, paste(type, medium))
    }))
  }))
}

csv_columns <- function(ours, theirs, of, columns) {
  unlist(lapply(names(columns), function(ours_name) {
    csv_values(ours[[ours_name]], theirs[[columns[[ours_name]]]], of, ours_name)
  }))
}

# CSVs have 15 digits; what is infinite or not a number there is missing in our tables.
csv_values <- function(a, b, of, what) {
  a <- as.numeric(a)
  b <- replace(as.numeric(b), !is.finite(as.numeric(b)), NA)
  a <- replace(a, !is.finite(a), NA)
  if (length(a) != length(b)) {
    return(sprintf("%s: %s: %d values for %d", of, what, length(a), length(b)))
  }
  value_difference(a, b, 1e-9, function(...) paste0(of, ": ", what, ": ", ...))
}
