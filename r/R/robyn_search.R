# search: robyn. robyn_run searches, in one process per trial. Robyn's trial k of seed s is the
# first trial of seed s + k - 1.

#' All trials of a job by robyn_run.
#'
#' @inheritParams run_trials
#' @param iterations of each trial, if they differ from cfg$iterations.
#' @return OutputModels of class "robyn_models", as one robyn_run of all trials returns it. Errors:
#'   robyn_error if a trial fails or stops early, which is only a warning of robyn_run.
#' @noRd
robyn_engine_search <- function(inputs, cfg, progress, iterations = NULL) {
  prepare_robyn()
  run_trials(inputs, cfg, progress, searcher = list(
    name = paste(c("robyn", iterations), collapse = " "),
    warm_up = function(problem, settings) NULL, # R must not start Python before it forks
    record = function(problem, settings, trial, report) {
      if (!is.null(iterations)) cfg$iterations <- iterations[trial]
      robyn_trial(inputs, cfg, trial, report)
    },
    size = function(record) nrow(record$resultCollect$resultHypParam),
    collect = function(problem, settings, record, trial, elapsed) record
  ))
}

#' One trial by robyn_run.
#'
#' @param trial number from 1.
#' @param report function(iteration, best_nrmse, best_rssd); the errors are NULL until the trial
#'   ends, because Robyn reports them only then.
#' @return list(resultCollect, hyperBoundNG, hyperBoundFixed, trial), as robyn_mmm's.
#' @noRd
robyn_trial <- function(inputs, cfg, trial, report) {
  said <- character()
  expected <- ceiling(cfg$iterations / cfg$workers) * cfg$workers
  models <- with_bar_watched(
    withCallingHandlers(
      ask_robyn("robyn_run", Robyn::robyn_run(
        InputCollect = inputs, cores = cfg$workers, trials = 1L, iterations = cfg$iterations,
        # Robyn silently ignores a seed that is not an integer.
        seed = as.integer(cfg$seed + trial - 1L),
        # With quiet = TRUE, robyn_run fails at its end, because it has no progress bar.
        quiet = FALSE,
        ts_validation = cfg$ts_validation, add_penalty_factor = cfg$add_penalty_factor,
        intercept = cfg$intercept, intercept_sign = cfg$intercept_sign,
        rssd_zero_penalty = cfg$rssd_zero_penalty, objective_weights = cfg$objective_weights,
        nevergrad_algo = cfg$nevergrad_algo, refresh = isTRUE(cfg$refresh)
      )),
      message = function(m) said <<- c(said, conditionMessage(m)),
      warning = function(w) if (is_robyn_noise(w)) invokeRestart("muffleWarning")
    ),
    expected, function(iteration) report(iteration, NULL, NULL)
  )
  made <- models$trial1
  found <- NROW(made$resultCollect$resultHypParam)
  if (found != expected) {
    partial <- grep("PARTIAL", said, value = TRUE)
    abort("robyn_error", sprintf(
      "Robyn's trial %d stopped after %d of %d models: %s", trial, found, expected,
      trimws(sub("^.*PARTIAL results", "", paste(partial, collapse = " ")))
    ))
  }
  errors <- made$resultCollect$resultHypParam
  report(found, min(errors$nrmse), min(errors$decomp.rssd))
  renumber_trial(made, trial)
}

#' Whether a warning of robyn_run only repeats the configuration.
#' @noRd
is_robyn_noise <- function(w) {
  grepl("Provided train_size but ts_validation = FALSE", conditionMessage(w), fixed = TRUE)
}

#' Renumber the first trial of a robyn_run, and the ids of its models.
#' @noRd
renumber_trial <- function(made, trial) {
  tables <- c("resultHypParam", "xDecompAgg", "liftCalibration")
  for (table in intersect(tables, names(made$resultCollect))) {
    rows <- made$resultCollect[[table]]
    rows$solID <- sub("^1_", paste0(trial, "_"), rows$solID)
    rows$trial <- as.integer(trial)
    made$resultCollect[[table]] <- rows
  }
  made$trial <- as.integer(trial)
  made
}

#' Evaluate `code` and watch its text progress bar: call `report(iteration)` about every second.
#'
#' The bar goes to a file, and a second process reads its percentage, because robyn_run reports
#' nothing else during the search.
#' @noRd
with_bar_watched <- function(code, iterations, report) {
  console <- tempfile("robyn-console-")
  file.create(console)
  sink(console)
  watcher <- parallel::mcparallel(watch_bar(console, iterations, report), detached = FALSE)
  on.exit({
    sink()
    tools::pskill(watcher$pid, tools::SIGKILL)
    suppressWarnings(parallel::mccollect(watcher))
    unlink(console)
  })
  code
}

watch_bar <- function(console, iterations, report) {
  repeat {
    Sys.sleep(1)
    size <- file.size(console)
    if (is.na(size)) return(NULL)
    file <- file(console, "rb")
    seek(file, max(0, size - 400))
    text <- rawToChar(readBin(file, "raw", 400))
    close(file)
    percent <- regmatches(text, gregexpr("[0-9]+(?=%)", text, perl = TRUE))[[1]]
    if (length(percent)) report(floor(as.numeric(utils::tail(percent, 1)) / 100 * iterations))
  }
}
