# A random case through robyn_run and through ours, compared, and what it covered: see fuzz.R.

#' Search a case twice and compare; with `recreate` one model by its hyperparameters as well, with
#' `outputs` what robyn_outputs, robyn_csv and robyn_write make of both.
#'
#' @return list(found, see differences(); covered, what the case holds, of its models too).
fuzz_run <- function(case) {
  arguments <- case[setdiff(names(case), c("optimiser", "outputs", "refresh", "recreate"))]
  cfg <- do.call(robyn_job, arguments)
  cfg$nevergrad_algo <- case$optimiser
  inputs <- fuzz_quietly(robyn_engine_inputs(cfg, read_data(cfg)))
  if (case$refresh > 0) {
    inputs <- refreshed(inputs, cfg, case$refresh)
    cfg$refresh <- TRUE
  }
  theirs <- fuzz_quietly(robyn_run_of(inputs, cfg))
  ours <- fuzz_quietly(run_trials(inputs, cfg, memory_log()))
  drawn <- setdiff(names(theirs$trial1$hyperBoundNG), "lambda")
  # With several workers Robyn's order within a batch is that of its processes' clocks.
  skip <- if (cfg$workers > 1) "convergence"
  found <- differences(ours, theirs, exact = drawn, skip = skip)
  if (!length(found) && case$recreate) found <- fuzz_recreate(inputs, cfg, ours)
  if (!length(found) && case$outputs) found <- fuzz_outputs(inputs, cfg, ours, theirs, skip)
  list(found = found, covered = fuzz_covered(case, cfg, ours))
}

#' One robyn_run with the settings of a job.
robyn_run_of <- function(inputs, cfg) {
  with_cores(cfg$workers, Robyn::robyn_run(
    inputs, cores = as.numeric(cfg$workers), trials = as.numeric(cfg$trials),
    iterations = as.numeric(cfg$iterations),
    seed = cfg$seed, ts_validation = cfg$ts_validation,
    add_penalty_factor = cfg$add_penalty_factor, intercept = cfg$intercept,
    intercept_sign = cfg$intercept_sign, rssd_zero_penalty = cfg$rssd_zero_penalty,
    objective_weights = cfg$objective_weights, nevergrad_algo = cfg$nevergrad_algo,
    refresh = isTRUE(cfg$refresh)
  ))
}

# Evaluate with at least `count` cores to be counted: Robyn takes no more.
with_cores <- function(count, code) {
  space <- asNamespace("parallel")
  counted <- space$detectCores
  set <- function(value) {
    unlockBinding("detectCores", space)
    assign("detectCores", value, envir = space) # nolint: object_name_linter.
    lockBinding("detectCores", space)
  }
  on.exit(set(counted))
  set(function(...) max(counted(), count))
  code
}

#' The inputs some periods later, with a model to stay near, as robyn_refresh makes them.
refreshed <- function(inputs, cfg, steps) {
  cfg$iterations <- 6L
  before <- fuzz_quietly(search_trial(inputs, cfg, 1L))$resultCollect$xDecompAgg
  inputs$xDecompAggPrev <- before[before$solID == utils::tail(before$solID, 1), ]
  inputs$refresh_steps <- as.integer(steps)
  inputs$refreshCounter <- 1L
  inputs$rollingWindowStartWhich <- inputs$rollingWindowStartWhich + steps
  inputs$rollingWindowEndWhich <- inputs$rollingWindowEndWhich + steps
  rows <- inputs$rollingWindowStartWhich:inputs$rollingWindowEndWhich
  inputs$dt_modRollWind <- inputs$dt_mod[rows, ]
  dates <- inputs$dt_modRollWind$ds
  inputs$window_start <- dates[1]
  inputs$window_end <- utils::tail(dates, 1)
  inputs$refreshAddedStart <- dates[length(dates) - steps + 1]
  inputs
}

# A model of the search again, from its hyperparameters alone.
fuzz_recreate <- function(inputs, cfg, models) {
  rows <- as.data.frame(models$trial1$resultCollect$resultHypParam)
  row <- rows[nrow(rows) %/% 2, ]
  fixed <- as.list(row[intersect(names(row), c(names(models$hyper_updated), "lambda"))])
  cfg$dt_hyper_fixed <- fixed
  cfg$workers <- 1L
  theirs <- fuzz_quietly(Robyn::robyn_run(
    inputs, dt_hyper_fixed = fixed, cores = 1, seed = cfg$seed, ts_validation = cfg$ts_validation,
    add_penalty_factor = cfg$add_penalty_factor, intercept = cfg$intercept,
    intercept_sign = cfg$intercept_sign, rssd_zero_penalty = cfg$rssd_zero_penalty,
    objective_weights = cfg$objective_weights, export = FALSE
  ))
  cfg$refresh <- FALSE # Robyn recreates by the usual objective
  ours <- fuzz_quietly(run_trials(inputs, cfg, memory_log()))
  differences(ours$trial1, theirs$OutputModels$trial1, at = "recreated")
}

# Robyn's outputs of its models, and ours of ours: objects, tables, metrics, CSVs and JSON.
fuzz_outputs <- function(inputs, cfg, ours, theirs, skip) {
  reference <- fuzz_quietly(robyn_model_outputs(inputs, theirs, cfg, reference = TRUE))
  fast <- fuzz_quietly(robyn_model_outputs(inputs, ours, cfg, reference = FALSE))
  found <- c(
    if (fast$best_model != reference$best_model) "another model is chosen",
    differences(fast$tables, reference$tables, at = "tables"),
    differences(fast$metrics, reference$metrics, at = "metrics", skip = skip),
    differences(fast$collect, reference$collect, at = "collect", skip = skip)
  )
  if (length(found)) return(found)
  folder <- withr::local_tempdir("csv-")
  write_robyn_csvs(reference$collect, inputs, folder)
  c(csv_differences(fast, inputs, folder), json_differences(inputs, fast, reference))
}

# robyn_write of both, but for the time that it was made and how long it took.
json_differences <- function(inputs, fast, reference) {
  id <- fast$best_model
  read <- function(collect) {
    folder <- withr::local_tempdir("json-")
    fuzz_quietly(Robyn::robyn_write(inputs, collect, select_model = id, dir = folder, quiet = TRUE))
    jsonlite::fromJSON(file.path(folder, sprintf("RobynModel-%s.json", id)))
  }
  clocks <- c("run_time", "outputs_time", "total_time", "conv_msg")
  differences(read(fast$collect), read(reference$collect), at = "json", skip = clocks)
}

fuzz_quietly <- function(code) {
  utils::capture.output(value <- suppressMessages(suppressWarnings(code)))
  value
}

#' What a case holds, and what its models show that the case alone does not tell.
fuzz_covered <- function(case, cfg, models) {
  c(covered_data(case, cfg), covered_settings(case, cfg), covered_models(case, models))
}

covered_data <- function(case, cfg) {
  studies <- if (NROW(case$calibration)) case$calibration
  scopes <- unique(studies$calibration_scope)
  signs <- function(kind, given) if (length(given)) paste(kind, unique(given))
  levels <- vapply(case$factors, function(f) length(unique(case$data[[f]])), 0L)
  in_window <- case$data$DATE >= cfg$window_start & case$data$DATE <= cfg$window_end
  c(
    case$frequency, case$target_kind, paste(length(case$channel_spends), "channels"),
    if (any(case$channel_exposures != case$channel_spends)) "exposures",
    if (length(case$organic)) "organic", if (length(case$context)) "context",
    if (length(levels)) sprintf("factor of %d levels", unique(levels)),
    if (!length(case$prophet_vars)) "no prophet", if (!all(in_window)) "narrower window",
    signs("media", case$channel_signs), signs("organic", case$organic_signs),
    signs("context", case$context_signs), signs("prophet", case$prophet_signs),
    if (length(scopes)) paste("calibration", scopes),
    if (any(grepl("+", studies$channel, fixed = TRUE))) "joint experiment",
    if (any(studies$liftStartDate == studies$liftEndDate)) "experiment of one period"
  )
}

covered_settings <- function(case, cfg) {
  fixed <- lengths(cfg$hyperparameters) == 1
  size <- length(cfg$hyperparameters$train_size)
  flags <- c(
    "weights" = !is.null(case$objective_weights), "weights with 0" = 0 %in% case$objective_weights,
    "no zero penalty" = !case$rssd_zero_penalty, "penalties" = case$add_penalty_factor,
    "no intercept" = !case$intercept,
    "some fixed" = any(fixed), "lambda fixed" = isTRUE(fixed["lambda"]),
    "refresh" = case$refresh > 0, "recreated" = case$recreate, "outputs" = case$outputs
  )
  c(
    case$adstock, case$optimiser, case$intercept_sign, sprintf("%d trials", case$trials),
    sprintf("%d workers", case$workers),
    if (case$ts_validation) paste("train_size", c("by default", "fixed", "range")[size + 1]),
    names(which(flags))
  )
}

covered_models <- function(case, models) {
  agg <- as.data.frame(models$trial1$resultCollect$xDecompAgg)
  hyp <- as.data.frame(models$trial1$resultCollect$resultHypParam)
  intercept <- agg$coef[agg$rn == "(Intercept)"]
  flags <- c(
    "lambda alone searched" = length(models$trial1$hyperBoundNG) == 1,
    "intercept dropped" = case$intercept && any(intercept == 0),
    "negative intercept" = any(intercept < 0),
    "no paid effect" = any(is.infinite(hyp$decomp.rssd)), "mape" = any(hyp$mape > 0, na.rm = TRUE)
  )
  names(which(flags))
}
