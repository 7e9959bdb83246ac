# Robyn's OutputCollect without robyn_outputs: the same object, field by field, from our vectorised
# tables. robyn_clusters, robyn_allocator, robyn_onepagers, robyn_write and robyn_refresh accept it.
# robyn_outputs spends most of its time on unused pictures, one per candidate and channel, and on
# data frames that grow row by row.

#' OutputCollect of a search, without clusters (see add_robyn_clusters).
#'
#' @param inputs InputCollect.
#' @param models OutputModels.
#' @param cfg the job's configuration.
#' @param parts model_outputs()$parts: ranked, transformed, agg.
#' @return object of class "robyn_outputs".
#' @noRd
robyn_collect <- function(inputs, models, cfg, parts) {
  started <- Sys.time()
  trials <- collect_trials(models)
  hyp <- robyn_models_table(parts$ranked$hyp, cfg$pareto_fronts)
  fronts <- stats::setNames(hyp$robynPareto, hyp$solID)
  agg <- robyn_decomposition(trials$agg, parts, fronts)
  order <- candidate_order(hyp, agg, parts$ranked$fronts)
  by_date <- decompose_by_date(inputs, parts$agg, parts$transformed)
  lift <- robyn_lift(trials$lift)
  per_model <- lapply(stats::setNames(order, order), function(id) {
    robyn_plot_data(
      inputs, hyp[hyp$solID == id, ], parts$agg[solID == id], parts$transformed[[id]],
      by_date[[id]]
    )
  })
  carryover <- bind_rows_of(per_model, function(p) p$plot7data)
  collect <- list(
    resultHypParam = robyn_table(hyp[hyp$solID %in% order, ]),
    xDecompAgg = robyn_table(agg[agg$solID %in% order, ]),
    mediaVecCollect = robyn_table(media_by_date(inputs, parts$transformed[order])),
    xDecompVecCollect = robyn_table(decomposition_by_date(inputs, by_date[order])),
    resultCalibration = if (!is.null(lift)) robyn_table(lift[lift$solID %in% order, ]),
    allSolutions = order,
    allPareto = list(
      resultHypParam = robyn_table(hyp), xDecompAgg = robyn_table(agg),
      resultCalibration = if (!is.null(lift)) robyn_table(lift),
      plotDataCollect = per_model, df_caov_pct = robyn_table(carryover)
    ),
    calibration_constraint = cfg$calibration_constraint,
    OutputModels = models
  )
  settings <- c(
    "cores", "iterations", "trials", "intercept", "intercept_sign", "nevergrad_algo",
    "add_penalty_factor", "seed"
  )
  collect[settings] <- models[settings]
  collect$pareto_fronts <- as.integer(parts$ranked$fronts)
  collect$hyper_fixed <- models$hyper_fixed
  collect$plot_folder <- robyn_folder(cfg)
  collect$hyper_updated <- models$hyper_updated
  run_time <- round(difftime(Sys.time(), started, units = "mins"), 2)
  # robyn_outputs() adds its class twice.
  structure(collect, runTime = run_time, class = c("robyn_outputs", "robyn_outputs", "list"))
}

#' Folder in Robyn's objects: one per run, in the form that robyn_refresh reads.
#' @noRd
robyn_folder <- function(cfg) {
  paste0(file.path(cfg$output_dir, paste0("Robyn_", cfg$run_id, "_init")), "/")
}

robyn_table <- function(x) {
  x <- as.data.frame(x)
  attr(x, "index") <- NULL # data.table's memory of a filter
  tibble::as_tibble(x)
}

bind_rows_of <- function(items, part) {
  as.data.frame(data.table::rbindlist(lapply(unname(items), part)))
}

#' resultHypParam of all models with Robyn's columns and types.
#' @noRd
robyn_models_table <- function(hyp, fronts) {
  hyp <- as.data.frame(hyp)
  hyp$candidate <- NULL
  hyp$robynPareto <- as.numeric(hyp$robynPareto)
  # Robyn numbers all fronts only if it chooses how many to use.
  if (!identical(fronts, "auto")) hyp$robynPareto[which(hyp$robynPareto > fronts)] <- NA
  hyp
}

#' xDecompAgg of all models; response, ROAS and CPA per channel for the candidates.
#'
#' @param fronts Pareto front by model id.
#' @noRd
robyn_decomposition <- function(all, parts, fronts) {
  agg <- data.table::copy(all)
  agg[, robynPareto := unname(fronts[solID])]
  means <- c("mean_response", "mean_spend_adstocked", "mean_carryover")
  known <- parts$agg
  at <- match(paste(agg$solID, agg$rn), paste(known$solID, known$rn))
  for (column in means) data.table::set(agg, j = column, value = known[[column]][at])
  agg[, `:=`(
    roi_mean = mean_response / mean_spend, roi_total = xDecompAgg / total_spend,
    cpa_mean = mean_spend / mean_response, cpa_total = total_spend / xDecompAgg
  )]
  as.data.frame(agg)
}

#' Ids of the candidates, front by front, in the order of robyn_pareto.
#' @noRd
candidate_order <- function(hyp, agg, fronts) {
  front <- hyp$robynPareto[match(unique(agg$solID), hyp$solID)]
  ids <- unique(agg$solID)[!is.na(front) & front <= fronts]
  ids[order(front[!is.na(front) & front <= fronts])]
}

robyn_lift <- function(lift) {
  if (is.null(lift)) return(NULL)
  lift <- as.data.frame(lift)
  names(lift)[names(lift) == "liftMedia"] <- "rn"
  lift
}

#' Input after adstock and response of every medium by date: two blocks of rows per model.
#' @noRd
media_by_date <- function(inputs, transformed) {
  dates <- as.Date(inputs$dt_modRollWind$ds)
  block <- function(id, type, series) {
    columns <- lapply(transformed[[id]], series)
    as.data.frame(c(list(ds = dates), columns, list(type = type, solID = id)), check.names = FALSE)
  }
  rows <- lapply(names(transformed), function(id) {
    rbind(
      block(id, "adstockedMedia", function(m) m$total),
      block(id, "decompMedia", function(m) m$saturated * m$coef)
    )
  })
  data.table::rbindlist(rows)
}

decomposition_by_date <- function(inputs, by_date) {
  table <- data.table::rbindlist(by_date, idcol = "solID")
  columns <- c("ds", "dep_var", inputs$all_ind_vars, "intercept", "depVarHat", "solID")
  as.data.frame(table)[columns]
}

#' Add Robyn's clusters and the columns that robyn_outputs joins from them.
#'
#' @return `collect` with clusters; without them, and with a warning, if Robyn cannot make them.
#' @noRd
add_robyn_clusters <- function(collect, inputs) {
  clusters <- tryCatch(
    Robyn::robyn_clusters(
      collect, dep_var_type = inputs$dep_var_type, quiet = TRUE, export = FALSE
    ),
    error = identity
  )
  if (inherits(clusters, "error")) {
    warning("Robyn cannot cluster the candidates: ", conditionMessage(clusters), call. = FALSE)
    return(collect)
  }
  group <- clusters$data[c("solID", "cluster", "top_sol")]
  join <- function(table) {
    at <- match(table$solID, group$solID)
    table$cluster <- group$cluster[at]
    table$top_sol <- group$top_sol[at]
    table
  }
  tables <- c("resultHypParam", "xDecompAgg", "mediaVecCollect", "xDecompVecCollect")
  if (!is.null(collect$resultCalibration)) tables <- c(tables, "resultCalibration")
  collect[tables] <- lapply(collect[tables], join)
  agg <- collect$xDecompAgg
  interval <- clusters$df_cluster_ci
  at <- match(paste(agg$rn, agg$cluster), paste(interval$rn, interval$cluster))
  columns <- c("boot_mean", "boot_se", "ci_low", "ci_up")
  agg[columns] <- lapply(interval[columns], function(x) x[at])
  carried <- collect$allPareto$df_caov_pct
  carried <- carried[carried$type == "Carryover", ]
  at <- match(paste(agg$solID, agg$rn), paste(carried$solID, carried$rn))
  agg$carryover_pct <- carried$carryover_pct[at]
  collect$xDecompAgg <- agg
  # Its plots have copies of all data, 40 MB for 100 models; robyn_clusters can make them again.
  pictures <- c(
    "wss", "corrs", "clusters_PCA", "plot_clusters_ci", "plot_models_errors", "plot_models_rois"
  )
  collect$clusters <- clusters[setdiff(names(clusters), pictures)]
  collect
}
