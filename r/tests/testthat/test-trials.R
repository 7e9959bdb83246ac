golden <- read_golden("geometric")

# As engine builtin's inputs: convergence is ours, on every machine.
inputs <- structure(unclass(golden$inputs), class = c("mmm_inputs", "list"))

job <- function(...) {
  work_dir <- tempfile("work-")
  dir.create(work_dir)
  utils::modifyList(
    list(work_dir = work_dir, trials = 3L, iterations = 60L, seed = 123L, cores = 2L), list(...)
  )
}

without_times <- function(models) {
  lapply(models[grepl("^trial[0-9]", names(models))], function(trial) {
    trial$resultCollect$elapsed.min <- NULL
    for (table in c("resultHypParam", "xDecompAgg")) {
      kept <- as.data.frame(trial$resultCollect[[table]])
      trial$resultCollect[[table]] <- kept[setdiff(names(kept), c("Elapsed", "ElapsedAccum"))]
    }
    trial
  })
}

test_that("trials as processes make what robyn_run makes of them", {
  cfg <- job()
  log <- memory_log()
  models <- run_trials(inputs, cfg, log)
  expect_s3_class(models, "robyn_models")
  expect_identical(names(models)[1:3], paste0("trial", 1:3))
  expect_true(all(c(
    "train_timestamp", "cores", "iterations", "trials", "intercept", "intercept_sign",
    "nevergrad_algo", "ts_validation", "add_penalty_factor", "hyper_updated", "hyper_fixed",
    "convergence", "seed"
  ) %in% names(models)))
  ranges <- lapply(golden$setup$hyper_updated, as.numeric)
  expect_identical(models$hyper_updated, ranges[names(models$hyper_updated)])
  expect_identical(models$cores, 1)
  expect_s3_class(attr(models, "runTime"), "difftime")
  alone <- lapply(1:3, function(k) search_trial(inputs, cfg, k))
  names(alone) <- paste0("trial", 1:3)
  expect_equal(without_times(models), without_times(alone))
})

test_that("finished trials are not computed again, and a resumed run is the same", {
  whole <- run_trials(inputs, job(), memory_log())
  cfg <- job(trials_todo = 2L, merge = FALSE)
  expect_null(run_trials(inputs, cfg, memory_log()))
  made <- checkpoint_path(cfg$work_dir, 2L)
  before <- file.info(made)$mtime
  cfg$trials_todo <- NULL
  cfg$merge <- TRUE
  resumed <- run_trials(inputs, cfg, memory_log())
  expect_identical(file.info(made)$mtime, before)
  expect_identical(without_times(resumed), without_times(whole))
})

test_that("checkpoints of another search are computed anew", {
  cfg <- job(trials = 1L)
  one <- run_trials(inputs, cfg, memory_log())
  cfg$seed <- 9L
  other <- run_trials(inputs, cfg, memory_log())
  expect_false(identical(without_times(one), without_times(other)))
})

test_that("merging without every checkpoint says which is missing", {
  cfg <- job(trials_todo = 1L)
  expect_error(run_trials(inputs, cfg, memory_log()), "trial 2, 3 of 3", class = "mmm_model_error")
})

# A log under which trial 2 is killed at its first word, `times` times.
deadly_log <- function(times) {
  left <- tempfile("left-")
  file.create(file.path(dirname(left), paste0(basename(left), "-", seq_len(times))))
  log <- memory_log()
  log$progress <- function(trial, trials, iteration, ...) {
    lives <- Sys.glob(paste0(left, "-*"))
    if (trial == 2L && iteration == 0L && length(lives)) {
      unlink(lives[1])
      tools::pskill(Sys.getpid(), tools::SIGKILL)
    }
  }
  log
}

test_that("a trial whose process is killed is searched again, and the run is the same", {
  cfg <- job(iterations = 200L)
  log <- deadly_log(1)
  expect_warning(models <- run_trials(inputs, cfg, log), "searched again.*trial 2")
  whole <- run_trials(inputs, job(iterations = 200L), memory_log())
  expect_identical(without_times(models), without_times(whole))
})

test_that("a process killed twice is an error that a retry may mend; what was finished stays", {
  cfg <- job(iterations = 200L, cores = 1L)
  log <- deadly_log(2)
  expect_warning(
    expect_error(
      run_trials(inputs, cfg, log), "Trial 2 failed.*killed", class = "mmm_killed_error"
    ),
    "trial 2"
  )
  expect_true(file.exists(checkpoint_path(cfg$work_dir, 1L)))
  expect_false(file.exists(checkpoint_path(cfg$work_dir, 2L)))
  resumed <- run_trials(inputs, cfg, memory_log())
  whole <- run_trials(inputs, job(iterations = 200L), memory_log())
  expect_identical(without_times(resumed), without_times(whole))
})

test_that("an error in a process keeps its class and words", {
  cfg <- job(trials = 1L)
  log <- memory_log()
  log$progress <- function(...) abort("nevergrad_error", "no such optimiser")
  expect_error(run_trials(inputs, cfg, log), "Trial 1 failed: no such optimiser",
    class = "nevergrad_error")
})

test_that("progress and checkpoints reach the log from the processes", {
  cfg <- job(trials = 2L)
  path <- tempfile()
  run_trials(inputs, cfg, progress_log(path))
  events <- lapply(readLines(path), jsonlite::fromJSON)
  types <- vapply(events, `[[`, "", "type")
  expect_setequal(vapply(events[types == "checkpoint"], `[[`, 0L, "trial"), 1:2)
  last <- vapply(events[types == "progress"], `[[`, 0L, "iteration")
  expect_identical(max(last), 60L)
})

test_that("one model with known hyperparameters is that model", {
  fixed <- read_golden("hyperparameters_fixed")
  cfg <- c(job(), fixed$run["dt_hyper_fixed"])
  models <- run_trials(structure(unclass(fixed$inputs), class = "list"), cfg, memory_log())
  expect_true(as.logical(models$hyper_fixed))
  expect_equal(
    as.numeric(models$trial1$resultCollect$resultHypParam$nrmse), fixed$resultHypParam$nrmse
  )
  expect_identical(models$selectID, models$trial1$resultCollect$resultHypParam$solID)
})
