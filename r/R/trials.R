# All trials of a run: a process and a checkpoint per trial, then one result.

#' Run the trials of a search.
#'
#' Each trial runs in a forked process of its own, `cfg$cores` at a time. A trial with a checkpoint
#' in cfg$work_dir, for the same inputs and settings, does not run again.
#'
#' @param inputs InputCollect, or the inputs of the builtin engine (see `search_problem()`).
#' @param cfg list: the fields of SEARCH_DEFAULTS; work_dir; trials_todo (trials to run here;
#'   default all); merge (FALSE: make checkpoints only).
#' @param progress from `progress_log()`.
#' @param searcher functions that make a trial, see `fast_searcher()`.
#' @return OutputModels, as `robyn_run()` makes it; NULL if cfg$merge is FALSE. Errors:
#'   mmm_model_error, with the cause, if a trial fails or is missing; mmm_killed_error if its
#'   process is killed twice.
#' @noRd
run_trials <- function(inputs, cfg, progress, searcher = fast_searcher()) {
  started <- Sys.time()
  settings <- search_settings(inputs, cfg)
  problem <- search_problem(inputs, settings)
  key <- paste(searcher$name, search_key(problem, settings))
  dir.create(file.path(cfg$work_dir, "trials"), showWarnings = FALSE, recursive = TRUE)
  done <- function(trial) read_checkpoint(checkpoint_path(cfg$work_dir, trial), key, trial)

  todo <- if (is.null(cfg$trials_todo)) seq_len(settings$trials) else as.integer(cfg$trials_todo)
  todo <- unique(todo[todo >= 1 & todo <= settings$trials])
  pending <- Filter(function(trial) is.null(done(trial)), todo)
  for (trial in setdiff(todo, pending)) {
    size <- min(searcher$size(done(trial)$record), iteration_limit(settings))
    progress$progress(trial, settings$trials, size, size, NULL, NULL)
  }
  if (length(pending)) {
    searcher$warm_up(problem, settings)
    search <- function(trials, cores) {
      map_children(trials, function(trial) {
        run_trial(searcher, problem, settings, trial, key, cfg$work_dir, progress)
      }, cores)
    }
    results <- search(pending, settings$cores)
    killed <- which(vapply(results, inherits, NA, "mmm_killed_error"))
    if (length(killed)) {
      # Most often memory ran out; one process at a time needs the least.
      warning(sprintf("Killed during the search and searched again, one at a time: trial %s.",
        toString(pending[killed])), call. = FALSE)
      results[killed] <- search(pending[killed], 1)
    }
    check_trials(pending, results)
  }
  if (isFALSE(cfg$merge)) return(NULL)

  found <- lapply(seq_len(settings$trials), done)
  missing <- which(vapply(found, is.null, NA))
  if (length(missing)) {
    abort("mmm_model_error", "There is no checkpoint of trial ", paste(missing, collapse = ", "),
      " of ", settings$trials, " in `", cfg$work_dir, "`: it has not run, or for another search.")
  }
  trials <- lapply(found, function(trial) {
    searcher$collect(problem, settings, trial$record, trial$trial, trial$elapsed)
  })
  output_models(inputs, problem, settings, trials, started)
}

# In the child: search, write the checkpoint, report it.
run_trial <- function(searcher, problem, settings, trial, key, work_dir, progress) {
  begun <- proc.time()[["elapsed"]]
  limit <- iteration_limit(settings)
  report <- function(iteration, best_nrmse, best_rssd, of = limit) {
    progress$progress(trial, settings$trials, iteration, of, best_nrmse, best_rssd)
  }
  record <- searcher$record(problem, settings, trial, report)
  path <- checkpoint_path(work_dir, trial)
  write_checkpoint(path, key, trial, record, proc.time()[["elapsed"]] - begun)
  progress$checkpoint(trial, path)
  path
}

# Load and compile what a trial needs once, before the processes fork. Not with an optimiser of
# nevergrad's: R must not start Python before it forks.
warm_up <- function(problem, settings) {
  if (!settings$nevergrad_algo %in% names(OWN_OPTIMISERS)) return(invisible())
  few <- 40L
  settings$iterations <- few * settings$workers
  settings$max_iterations <- NULL
  search_record(problem, settings, 0L, function(...) NULL)
  invisible()
}

# The functions that make a trial: name, which is part of the key of its checkpoints;
# warm_up(problem, settings), called before the processes fork; record(problem, settings, trial,
# progress), which goes to the checkpoint; size(record), its number of models; collect(problem,
# settings, record, trial, elapsed), an element of OutputModels.
fast_searcher <- function() {
  list(
    name = "fast", warm_up = warm_up, record = search_record,
    size = function(record) ncol(record$row), collect = collect_trial
  )
}

# The first error of a trial ends the run, with its class and message.
check_trials <- function(trials, results) {
  failed <- which(vapply(results, inherits, NA, "error"))
  if (!length(failed)) return(invisible())
  cause <- results[[failed[1]]]
  class <- intersect(class(cause), names(ERROR_EXIT_CODES))
  abort(
    if (length(class)) class[1] else "mmm_model_error", "Trial ", trials[failed[1]], " failed: ",
    conditionMessage(cause), if (length(failed) > 1) sprintf(" (%d trials failed)", length(failed)),
    parent = cause
  )
}

#' Combine the trials as `robyn_run()` does.
#'
#' If Robyn made the inputs, Robyn also makes convergence and its plots; otherwise `converge()`
#' does. Trials that run until they converge differ in length; `iterations` is that of the longest.
#' @noRd
output_models <- function(inputs, problem, settings, trials, started) {
  fixed <- !is.null(settings$dt_hyper_fixed)
  hyper_fixed <- structure(fixed, hypParamSamName = problem$space$names)
  names(trials) <- paste0("trial", seq_along(trials))
  models <- trials
  attr(models, "hyper_fixed") <- hyper_fixed
  attr(models, "refresh") <- settings$refresh
  models$train_timestamp <- Sys.time()
  models$cores <- as.numeric(settings$workers)
  models$iterations <- as.numeric(settings$iterations)
  if (!is.null(settings$max_iterations)) {
    longest <- max(vapply(trials, function(trial) nrow(trial$resultCollect$resultHypParam), 0L))
    models$iterations <- as.numeric(min(longest, settings$max_iterations))
    models$max_iterations <- as.numeric(settings$max_iterations)
  }
  models$trials <- as.numeric(settings$trials)
  models$intercept <- settings$intercept
  models$intercept_sign <- settings$intercept_sign
  models$nevergrad_algo <- settings$nevergrad_algo
  models$ts_validation <- settings$ts_validation
  models$add_penalty_factor <- settings$add_penalty_factor
  models$hyper_updated <- problem$space$all
  models$hyper_fixed <- hyper_fixed
  if (fixed) {
    models <- name_fixed(models, settings$dt_hyper_fixed)
  } else if (inherits(inputs, "robyn_inputs") && nzchar(system.file(package = "Robyn"))) {
    models$convergence <- Robyn::robyn_converge(models)
    models$ts_validation_plot <- Robyn::ts_validation(models)
  } else {
    models$convergence <- converge(trials)
  }
  models$seed <- settings$seed
  run_time <- round(difftime(Sys.time(), started, units = "mins"), 2)
  attributes(models)[["runTime"]] <- run_time
  class(models) <- c("robyn_models", class(unclass(models)))
  models
}

# A recreated model keeps its name.
name_fixed <- function(models, values) {
  if (!is.null(values$solID)) {
    for (table in c("resultHypParam", "xDecompAgg")) {
      models$trial1$resultCollect[[table]]$solID <- as.character(values$solID)
    }
  }
  models$selectID <- models$trial1$resultCollect$resultHypParam$solID
  models$trial1$trial <- 1 # a double, as in robyn_run
  models
}
