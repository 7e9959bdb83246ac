# Tables, metrics and files from inputs and trials, for both engines.

#' Tables, metrics and the chosen model.
#'
#' @param inputs InputCollect.
#' @param models OutputModels.
#' @param cfg the job's configuration.
#' @return list(collect, tables, metrics, best_model, parts): collect has Robyn's fields of
#'   OutputCollect that are data (resultHypParam, xDecompAgg, allSolutions, clusters, ...); parts
#'   has the intermediate results.
#' @noRd
model_outputs <- function(inputs, models, cfg) {
  ranked <- rank_models(collect_trials(models), inputs, cfg)
  candidates <- ranked$hyp[candidate == TRUE]
  clusters <- cluster_models(candidates)
  best <- best_model(clusters)
  transformed <- transform_models(inputs, ranked, candidates$solID)
  agg <- aggregate_decomposition(ranked, media_means(transformed), clusters, inputs)
  winners <- clusters$models$solID
  shown <- transformed[winners]
  by_date <- decompose_by_date(inputs, agg, shown)
  kinds <- variable_kinds(inputs, cfg)
  intervals <- model_intervals(inputs, cfg, agg, ranked$hyp[solID == best])
  made <- list(
    hyp = ranked$hyp, agg = agg, clusters = clusters, fronts = ranked$fronts, best = best,
    kinds = kinds, intervals = intervals
  )
  periods <- nrow(inputs$dt_modRollWind)
  tables <- list(
    models = models_table(ranked$hyp, clusters, best),
    decomposition = decomposition_table(agg, kinds, best, intervals),
    decomposition_by_date = decomposition_by_date_table(by_date, kinds, best),
    response_curves = response_curves_table(response_curves(shown), kinds, best),
    allocation = allocation_table(
      allocate_models(inputs, shown, cfg), kinds, best, periods
    ),
    pareto = pareto_table(ranked$hyp, best)
  )
  list(
    best_model = best, tables = tables,
    metrics = model_metrics(inputs, models, made),
    collect = output_collect(models, cfg, ranked, agg, clusters, by_date),
    parts = list(ranked = ranked, transformed = transformed, agg = agg)
  )
}

#' Allocate every scenario for every model in `transformed`.
#' @noRd
allocate_models <- function(inputs, transformed, cfg) {
  scenarios <- cfg$allocator_scenarios
  periods <- nrow(inputs$dt_modRollWind)
  paid <- stats::setNames(inputs$paid_media_selected, inputs$paid_media_selected)
  made <- lapply(names(transformed), function(id) {
    media <- lapply(paid, function(m) {
      t <- transformed[[id]][[m]]
      list(
        spend = mean(inputs$dt_modRollWind[[m]]), carryover = mean(t$carryover), coef = t$coef,
        alpha = t$alpha, inflexion = t$inflexion
      )
    })
    lapply(seq_along(scenarios), function(i) {
      list(
        model = id, number = i, scenario = scenarios[[i]]$scenario,
        rows = allocate(media, scenarios[[i]], periods, inputs$dep_var_type)
      )
    })
  })
  unlist(made, recursive = FALSE)
}

#' OutputCollect with Robyn's field names; decomposition by date for the cluster winners.
#' @noRd
output_collect <- function(models, cfg, ranked, agg, clusters, by_date) {
  candidates <- ranked$hyp[candidate == TRUE]
  candidates[, candidate := NULL]
  chosen <- clusters$data[match(candidates$solID, solID)]
  candidates[, `:=`(cluster = chosen$cluster, top_sol = chosen$top_sol)]
  settings <- c(
    "cores", "iterations", "trials", "intercept", "intercept_sign", "nevergrad_algo",
    "add_penalty_factor", "seed", "hyper_updated", "hyper_fixed"
  )
  c(
    list(
      resultHypParam = as.data.frame(candidates), xDecompAgg = as.data.frame(agg),
      xDecompVecCollect = as.data.frame(data.table::rbindlist(by_date, idcol = "solID")),
      allSolutions = candidates$solID, calibration_constraint = cfg$calibration_constraint,
      pareto_fronts = ranked$fronts, clusters = clusters
    ),
    models[settings]
  )
}

#' Outputs of engine builtin.
#'
#' Writes Model-<id>.json of the cluster winners.
#'
#' @return the list of model_outputs().
#' @noRd
builtin_outputs <- function(inputs, models, cfg, progress) {
  made <- model_outputs(inputs, models, cfg)
  for (id in made$collect$clusters$models$solID) {
    write_json(
      describe_model(inputs, made, id, cfg),
      file.path(cfg$output_dir, sprintf("Model-%s.json", id))
    )
  }
  made
}

#' Write the files of every engine: tables, metrics and the three R objects.
#' @noRd
write_outputs <- function(inputs, models, made, cfg, engine) {
  write_tables(made$tables, cfg$output_dir)
  metrics <- c(list(engine = engine, search = made$search %||% cfg$search), made$metrics)
  write_json(metrics, file.path(cfg$output_dir, "metrics.json"))
  objects <- list(
    InputCollect = input_collect_to_keep(inputs, cfg$include_data),
    OutputModels = made$models %||% models, OutputCollect = made$collect
  )
  for (name in names(objects)) {
    # Level 1 takes a fifth of the default's time for a few per cent more bytes.
    write_atomically(file.path(cfg$output_dir, paste0(name, ".RDS")), function(path) {
      file <- gzfile(path, "wb", compression = 1)
      on.exit(close(file))
      saveRDS(objects[[name]], file)
    })
  }
}
