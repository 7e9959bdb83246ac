# The whole of the R side as its caller sees it: a process, its exit code and its files.

# run_all.R with an argument; list(status, stdout, stderr). Not by processx: its handler of SIGCHLD
# would replace that of parallel, whose children then stay as zombies.
run_r <- function(argument, environment = character(),
                  script = normalizePath(file.path("..", "..", "run_all.R"))) {
  said <- c(tempfile("stdout-"), tempfile("stderr-"))
  named <- if (length(environment)) paste0(names(environment), "=", shQuote(environment))
  status <- system2(
    file.path(R.home("bin"), "Rscript"), shQuote(c(script, argument)),
    stdout = said[1], stderr = said[2], env = named %||% character(), timeout = 300
  )
  text <- vapply(said, function(file) paste(readLines(file), collapse = "\n"), "")
  list(status = status, stdout = text[[1]], stderr = text[[2]])
}

run_job <- function(..., data = simulated_market()$data, environment = character()) {
  folder <- tempfile("job-")
  for (name in c("output", "work")) dir.create(file.path(folder, name), recursive = TRUE)
  data.table::fwrite(data, file.path(folder, "data.csv"))
  job <- job_config(
    data_csv = file.path(folder, "data.csv"), output_dir = file.path(folder, "output"),
    work_dir = file.path(folder, "work"), result_file = file.path(folder, "result.json"),
    progress_file = file.path(folder, "progress.jsonl"), min_candidates = 20, onepagers = 1,
    python = Sys.getenv("RETICULATE_PYTHON", "python3"), organic = I("newsletter"),
    organic_signs = I("positive"), factors = I("promotion"),
    hyperparameters = structure(list(), names = character())
  )
  changed <- list(...)
  job[names(changed)] <- changed
  path <- file.path(folder, "job.json")
  writeLines(jsonlite::toJSON(job, auto_unbox = TRUE, null = "null", digits = NA), path)
  ran <- run_r(paste0("job_cfg=", path), environment = environment)
  result <- file.path(folder, "result.json")
  list(
    status = ran$status, stderr = ran$stderr, folder = folder,
    result = if (file.exists(result)) jsonlite::fromJSON(result)
  )
}

skip_without_nevergrad <- function() {
  skip_if_not(nzchar(Sys.getenv("RETICULATE_PYTHON")), "RETICULATE_PYTHON is not set")
}

test_that("a job ends with every artifact, and a second one resumes to the same", {
  skip_without_nevergrad()
  ran <- run_job()
  expect_identical(ran$status, 0L, info = ran$stderr)
  expect_identical(ran$result$status, "ok")
  expect_identical(ran$result$engine, "builtin")
  output <- file.path(ran$folder, "output")
  expect_true(all(file.exists(file.path(output, c(
    "metrics.json", "timings.json", "OutputCollect.RDS", "tables/models.csv",
    paste0("onepagers/", ran$result$best_model, ".png")
  )))))
  expect_named(
    jsonlite::fromJSON(file.path(output, "timings.json")),
    paste0(
      rep(c("inputs", "trials", "outputs", "plots", "total"), 2), rep(c("", "_cpu"), each = 5)
    ),
    ignore.order = TRUE
  )
  events <- lapply(readLines(file.path(ran$folder, "progress.jsonl")), jsonlite::fromJSON)
  steps <- Filter(function(e) e$type == "step", events)
  expect_identical(
    vapply(steps, function(e) paste(e$step, e$state), ""),
    paste(rep(c("inputs", "trials", "outputs", "plots"), each = 2), c("started", "finished"))
  )
  expect_length(Filter(function(e) e$type == "checkpoint", events), 2)
  # R's temporary files are gone from the work folder.
  expect_false(any(startsWith(list.files(file.path(ran$folder, "work")), "Rtmp")))
})

test_that("trials without merge leave checkpoints, the rest is merged from them", {
  skip_without_nevergrad()
  whole <- run_job()
  first <- run_job(trials_todo = I(2), merge = FALSE)
  expect_identical(first$status, 0L, info = first$stderr)
  expect_identical(list.files(file.path(first$folder, "work", "trials")), "trial_2.rds")
  expect_false(file.exists(file.path(first$folder, "output", "metrics.json")))
  path <- file.path(first$folder, "job.json")
  job <- jsonlite::fromJSON(path, simplifyVector = FALSE)
  job$trials_todo <- list(1)
  job$merge <- TRUE
  writeLines(jsonlite::toJSON(job, auto_unbox = TRUE, null = "null", digits = NA), path)
  expect_identical(run_r(paste0("job_cfg=", path))$status, 0L)
  read <- function(folder, file) readLines(file.path(folder, "output", file))
  for (file in c("metrics.json", "tables/models.csv", "tables/decomposition.csv")) {
    expect_identical(read(first$folder, file), read(whole$folder, file), info = file)
  }
})

test_that("an error stops with its code and result whatever R's options are", {
  # A profile that makes R go on after an error, and one that turns warnings into errors.
  profile <- tempfile()
  writeLines("options(error = function() cat('going on\\n'), warn = 2)", profile)
  ran <- run_job(adstok = "geometric", environment = c(R_PROFILE_USER = profile))
  expect_identical(ran$status, 64L)
  expect_identical(ran$result$class, "mmm_config_error")
  expect_match(ran$stderr, "Error: `adstok` is not a field of the job")
  data <- simulated_market()$data
  data$clicks <- 0
  ran <- run_job(data = data, environment = c(R_PROFILE_USER = profile))
  skip_without_nevergrad()
  expect_identical(ran$status, 65L)
  expect_identical(ran$result$step, "inputs")
  expect_identical(ran$result$field, "clicks")
})

test_that("nevergrad's absence is found before anything is computed", {
  bare <- tempfile("python-")
  writeLines(c("#!/bin/sh", "exec python3 -I -S \"$@\""), bare)
  Sys.chmod(bare, "755")
  ran <- run_job(python = bare)
  expect_identical(ran$status, 70L)
  expect_identical(ran$result$class, "nevergrad_error")
  expect_match(ran$result$message, "ModuleNotFoundError")
  progress <- file.path(ran$folder, "progress.jsonl")
  expect_false(file.exists(progress) && any(grepl("inputs", readLines(progress))))
})

test_that("warnings go to stderr, the result and the progress", {
  skip_without_nevergrad()
  ran <- run_job(min_candidates = 5000, onepagers = 0)
  expect_identical(ran$status, 0L, info = ran$stderr)
  expect_match(ran$stderr, "Warning: Only [0-9]+ models are on Pareto fronts")
  expect_true(any(grepl("on Pareto fronts", unlist(ran$result$warnings))))
  progress <- readLines(file.path(ran$folder, "progress.jsonl"))
  expect_true(any(grepl("\"type\":\"warning\"", progress, fixed = TRUE)))
})

test_that("the values that R knows are printed as JSON", {
  expect_identical(jsonlite::fromJSON(run_r("--enums")$stdout), CONFIG_ENUMS)
})

# run_all.R in a folder of its own, beside the files of `sources`, asked to run a job.
run_elsewhere <- function(sources, environment) {
  folder <- tempfile("elsewhere-")
  dir.create(file.path(folder, "r"), recursive = TRUE)
  from <- file.path("..", "..", c("run_all.R", "library.R", sources))
  file.copy(from, file.path(folder, "r"), recursive = TRUE)
  job <- file.path(folder, "job.json")
  result <- file.path(folder, "result.json")
  writeLines(jsonlite::toJSON(list(run_id = "a", result_file = result), auto_unbox = TRUE), job)
  script <- file.path(folder, "r", "run_all.R")
  list(
    ran = run_r(paste0("job_cfg=", job), environment = environment, script = script),
    result = jsonlite::fromJSON(result)
  )
}

test_that("a package that is not installed is an error with a result", {
  found <- run_elsewhere(character(), c(R_LIBS = ""))
  expect_identical(found$ran$status, 70L)
  expect_identical(found$result$class, "mmm_model_error")
  sentence <- "The R package mmmtrainer is not installed in .*/[.]r-library; run `make setup`[.]"
  expect_match(found$result$message, sentence)
  expect_match(found$ran$stderr, sentence)
})

test_that("an installed package that differs from its source is an error with a result", {
  library <- dirname(system.file(package = "mmmtrainer"))
  found <- run_elsewhere(c("DESCRIPTION", "R"), c(R_LIBS = library))
  expect_identical(found$ran$status, 70L)
  expect_match(found$result$message, "differs from its source in .*/r; run `make setup`[.]")
})

test_that("the engine that auto stands for is printed", {
  expect_identical(run_r("--engine")$stdout, resolve_engine("auto"))
})
