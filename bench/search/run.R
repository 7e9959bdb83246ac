# One process of the benchmark. The last line of stdout has its figures as JSON:
#   Rscript run.R inputs CASE INPUTS.rds
#   Rscript run.R robyn|ours INPUTS.rds MODELS.rds TRIALS ITERATIONS CORES WORKERS
#   Rscript run.R compare ROBYN.rds OURS.rds

options(warn = 1)
own <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1])
source(file.path(dirname(own), "..", "..", "r", "library.R"), chdir = TRUE)
arguments <- commandArgs(TRUE)
say <- function(...) {
  cat(jsonlite::toJSON(list(...), auto_unbox = TRUE, digits = NA), "\n", sep = "")
}

peak_memory <- function() {
  status <- readLines("/proc/self/status")
  as.numeric(gsub("[^0-9]", "", grep("^VmHWM", status, value = TRUE))) / 1024
}

timed <- function(code) {
  start <- proc.time()
  value <- force(code)
  used <- proc.time() - start
  list(value = value, seconds = used[["elapsed"]], cpu_seconds = sum(used[c(1, 2, 4, 5)]))
}

make_inputs <- function(case, path) {
  source(file.path(dirname(own), "cases.R"))
  saveRDS(CASES[[case]](), path)
  say(case = case, robyn = as.character(utils::packageVersion("Robyn")))
}

run_robyn <- function(inputs, settings) {
  suppressPackageStartupMessages(library(Robyn))
  timed(robyn_run(
    inputs, trials = settings[["trials"]], iterations = settings[["iterations"]],
    cores = settings[["cores"]], seed = 123L
  ))
}

# Load Robyn first, because a real run has already called its robyn_inputs().
run_ours <- function(inputs, settings) {
  loadNamespace("Robyn")
  require_package()
  work_dir <- tempfile("work-")
  dir.create(work_dir)
  cfg <- c(as.list(settings), list(seed = 123L, work_dir = work_dir))
  log <- mmmtrainer:::progress_log(file.path(work_dir, "progress.jsonl"))
  timed(mmmtrainer:::run_trials(inputs, cfg, log))
}

run <- function(search, inputs, path, numbers) {
  settings <- stats::setNames(as.integer(numbers), c("trials", "iterations", "cores", "workers"))
  measured <- (if (search == "robyn") run_robyn else run_ours)(readRDS(inputs), settings)
  models <- measured$value
  saveRDS(models, path, compress = FALSE)
  since <- models$trial1$resultCollect$resultHypParam$ElapsedAccum
  marks <- diff(c(0, since[1000 * seq_len(length(since) %/% 1000)]))
  say(
    seconds = measured$seconds, cpu_seconds = measured$cpu_seconds, peak_mb = peak_memory(),
    loop_ms = 1000 * since[length(since)] / length(since), ms_by_1000 = I(marks)
  )
}

# Report the largest relative difference of any number of any model that both have.
compare <- function(theirs, ours) {
  a <- readRDS(theirs)
  b <- readRDS(ours)
  trials <- intersect(grep("^trial[0-9]+$", names(a), value = TRUE), names(b))
  worst <- drawn <- 0
  models <- 0
  tables <- setdiff(names(a[[trials[1]]]$resultCollect), c("iter", "elapsed.min"))
  for (trial in trials) for (table in tables) {
    x <- as.data.frame(a[[trial]]$resultCollect[[table]])
    y <- as.data.frame(b[[trial]]$resultCollect[[table]])
    stopifnot(identical(names(x), names(y)), nrow(x) == nrow(y), identical(x$solID, y$solID))
    for (column in setdiff(names(x), c("Elapsed", "ElapsedAccum"))) {
      if (!is.numeric(x[[column]])) next
      stopifnot(identical(is.na(x[[column]]), is.na(y[[column]])))
      difference <- abs(x[[column]] - y[[column]])
      relative <- difference / pmax(abs(x[[column]]), 1e-300)
      worst <- max(worst, relative[is.finite(relative)])
      if (column %in% names(a$hyper_updated)) drawn <- max(drawn, difference)
    }
    if (table == "resultHypParam") models <- models + nrow(x)
  }
  say(models = models, largest_relative = worst, largest_of_hyperparameters = drawn)
}

switch(arguments[1],
  inputs = make_inputs(arguments[2], arguments[3]),
  compare = compare(arguments[2], arguments[3]),
  run(arguments[1], arguments[2], arguments[3], arguments[4:7])
)
