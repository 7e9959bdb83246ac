# Outputs of engine robyn: the tables of both engines, and Robyn's OutputCollect, allocator and
# JSON. After a fast search, Robyn recomputes models first; if they differ, robyn_run searches
# again.

#' Tables, Robyn's objects and files of a search.
#'
#' @param inputs InputCollect.
#' @param models OutputModels.
#' @param cfg the job's configuration.
#' @param progress progress_log().
#' @return model_outputs()'s list with Robyn's OutputCollect as `collect` (its OutputModels without
#'   the trials), and models, search, selfcheck (NULL after search robyn), robyn_version.
#' @noRd
robyn_engine_outputs <- function(inputs, models, cfg, progress) {
  prepare_robyn()
  if (cfg$search == "robyn") {
    made <- robyn_model_outputs(inputs, models, cfg, reference = TRUE)
    check <- NULL
  } else {
    made <- robyn_model_outputs(inputs, models, cfg, reference = FALSE)
    check <- robyn_selfcheck(inputs, models, cfg, unique(c(
      made$best_model, as.character(made$collect$clusters$models$solID)
    )))
    if (!check$passed) {
      check$warning <- sprintf(paste(
        "The fast search differs from Robyn by %s (%s), more than %s;",
        "all models are searched again by robyn_run."
      ), format(check$largest_difference %||% NA, digits = 3), check$where, check$tolerance)
      warning(check$warning, call. = FALSE)
      models <- search_again(inputs, cfg, models, progress)
      made <- robyn_model_outputs(inputs, models, cfg, reference = TRUE)
    }
  }
  made$models <- without_pictures(models)
  made$selfcheck <- check
  made$search <- if (is.null(check) || !check$passed) "robyn" else "fast"
  made$robyn_version <- as.character(utils::packageVersion("Robyn"))
  made$tables$allocation <- robyn_allocations(inputs, made, cfg)
  write_robyn_models(inputs, made, cfg)
  made$collect$OutputModels <- without_trials(made$models)
  made
}

#' OutputModels without its plots. Each plot has a copy of all trials, which makes five times the
#' bytes.
#'
#' robyn_converge() and ts_validation() can make them again.
#' @noRd
without_pictures <- function(models) {
  models$ts_validation_plot <- NULL
  models$convergence$moo_distrb_plot <- models$convergence$moo_cloud_plot <- NULL
  models
}

#' OutputModels without its trials, which are in OutputModels.RDS.
#' @noRd
without_trials <- function(models) {
  kept <- unclass(models)[!grepl("^trial[0-9]+$", names(models))]
  for (name in setdiff(names(attributes(models)), "names")) {
    attr(kept, name) <- attr(models, name)
  }
  kept
}

#' Search again by robyn_run, with the same number of iterations per trial.
#' @noRd
search_again <- function(inputs, cfg, models, progress) {
  again <- cfg
  again$search <- "robyn"
  again$trials_todo <- seq_len(cfg$trials)
  iterations <- NULL
  if (!is.null(cfg$max_iterations)) {
    iterations <- vapply(trial_endings(models), `[[`, 0L, "iterations")
    again$iterations <- as.integer(models$iterations)
    again$max_iterations <- NULL
  }
  found <- robyn_engine_search(inputs, again, progress, iterations)
  found$max_iterations <- models$max_iterations
  found
}

#' Tables and OutputCollect.
#'
#' @param reference TRUE: OutputCollect by robyn_outputs; FALSE: by robyn_collect, which makes the
#'   same object faster.
#' @noRd
robyn_model_outputs <- function(inputs, models, cfg, reference) {
  made <- model_outputs(inputs, models, cfg)
  own <- made$collect$clusters$models$solID
  made$collect <- if (reference) {
    robyn_reference_collect(inputs, models, cfg, made$parts$ranked)
  } else {
    add_robyn_clusters(robyn_collect(inputs, models, cfg, made$parts), inputs)
  }
  winners <- made$collect$clusters$models
  if (is.null(winners)) return(made)
  # The rule of docs/robyn.md: of Robyn's cluster winners, the lowest error score, then NRMSE.
  best <- as.character(winners$solID[order(winners$error_score, winners$nrmse)][1])
  if (!setequal(winners$solID, own) || best != made$best_model) {
    warning(sprintf(paste(
      "Robyn picks the models %s from its clusters, the tables pick %s. The best model is that",
      "of the tables, %s."
    ), toString(winners$solID), toString(own), made$best_model), call. = FALSE)
  }
  made
}

#' OutputCollect by robyn_outputs. It exports nothing, because it hides errors of an export.
#'
#' @param ranked rank_models() result. With "auto", robyn_outputs stops (or fails, with calibration)
#'   unless fronts have more than min_candidates models; then the number of fronts is an argument.
#' @noRd
robyn_reference_collect <- function(inputs, models, cfg, ranked) {
  few <- sum(!is.na(ranked$hyp$robynPareto)) <= cfg$min_candidates
  folder <- robyn_folder(cfg)
  utils::capture.output(collect <- ask_robyn("robyn_outputs", Robyn::robyn_outputs(
    inputs, models, pareto_fronts = if (few) ranked$fronts else cfg$pareto_fronts,
    min_candidates = cfg$min_candidates,
    calibration_constraint = cfg$calibration_constraint, clusters = FALSE, export = FALSE,
    quiet = TRUE, plot_folder = dirname(folder), plot_folder_sub = basename(folder)
  )))
  collect$UI <- NULL # as in a robyn_outputs that exports
  add_robyn_clusters(collect, inputs)
}

# ---- files -----------------------------------------------------------------------------------

#' Write RobynModel-<id>.json of the cluster winners by robyn_write; a missing file is an error.
#' @noRd
write_robyn_models <- function(inputs, made, cfg) {
  ids <- unique(c(made$best_model, as.character(made$collect$clusters$models$solID)))
  for (id in ids) {
    path <- file.path(cfg$output_dir, sprintf("RobynModel-%s.json", id))
    unlink(path)
    ask_robyn("robyn_write", Robyn::robyn_write(
      inputs, made$collect, select_model = id, dir = cfg$output_dir, quiet = TRUE,
      add_data = cfg$include_data
    ))
    if (!file.exists(path)) {
      abort("robyn_error", "Robyn's robyn_write did not write `", basename(path), "`.")
    }
  }
  invisible(ids)
}
