test_that("a trial by itself is the same trial of a whole robyn_run", {
  skip_without_robyn_search()
  inputs <- example_inputs()
  cfg <- robyn_job(trials = 2, iterations = 8, workers = 2)
  told <- list()
  report <- function(...) told[[length(told) + 1]] <<- list(...)
  ours <- quietly(robyn_trial(inputs, cfg, 2L, report))
  theirs <- quietly(Robyn::robyn_run(inputs, cores = 2, iterations = 8, trials = 2, seed = 123L))
  theirs <- theirs$trial2
  untimed <- function(x) x[setdiff(names(x), c("Elapsed", "ElapsedAccum"))]
  for (table in c("resultHypParam", "xDecompAgg")) {
    expect_identical(
      untimed(ours$resultCollect[[table]]), untimed(theirs$resultCollect[[table]]), info = table
    )
  }
  expect_identical(ours$trial, theirs$trial)
  expect_identical(names(ours), names(theirs))
  last <- told[[length(told)]]
  expect_identical(last[[1]], 8L)
  expect_identical(last[[2]], min(ours$resultCollect$resultHypParam$nrmse))
})

test_that("a trial that Robyn breaks off in silence is an error with its cause", {
  skip_without_robyn_search()
  cfg <- robyn_job(adstock = "weibull_cdf", iterations = 30)
  inputs <- quietly(robyn_engine_inputs(cfg, read_data(cfg)))
  # A scale above 1 fails inside the search; robyn_run then returns the models it has.
  inputs$hyperparameters$tv_S_scales <- c(0, 1.2)
  expect_error(
    quietly(robyn_trial(inputs, cfg, 1L, function(...) NULL)), "of 30 models: .*probs",
    class = "robyn_error"
  )
})

test_that("all trials come back as one robyn_run's result, resumed from checkpoints", {
  skip_without_robyn_search()
  inputs <- example_inputs()
  cfg <- robyn_job(search = "robyn", trials = 2, iterations = 6)
  log <- memory_log()
  first <- quietly(robyn_engine_search(inputs, cfg, log))
  expect_s3_class(first, "robyn_models")
  expect_identical(c(first$trials, first$iterations, first$cores), c(2, 6, 1))
  expect_length(list.files(file.path(cfg$work_dir, "trials"), "[.]rds$"), 2)
  again <- memory_log()
  second <- quietly(robyn_engine_search(inputs, cfg, again))
  expect_length(again$kept$checkpoints, 0)
  expect_identical(second$trial2$resultCollect, first$trial2$resultCollect)
  # A fast search does not take them for its own.
  fast <- memory_log()
  quietly(run_trials(inputs, cfg, fast))
  expect_false(identical(
    readRDS(checkpoint_path(cfg$work_dir, 1L))$record, first$trial1
  ))
})

test_that("a progress bar in a file is told while it grows", {
  told <- tempfile("told-")
  with_bar_watched(
    {
      bar <- utils::txtProgressBar(max = 10, style = 3)
      for (i in 1:5) utils::setTxtProgressBar(bar, i)
      Sys.sleep(2.5)
    },
    200, function(iteration) cat(iteration, "\n", file = told, append = TRUE)
  )
  expect_identical(unique(scan(told, quiet = TRUE)), 100)
})

test_that("a trial keeps its models when it gets its number", {
  table <- data.frame(solID = c("1_1_1", "1_12_2"), trial = 1L, nrmse = c(0.1, 0.2))
  first <- list(resultCollect = list(resultHypParam = table, iter = 0), trial = 1)
  made <- renumber_trial(first, 11)
  expect_identical(made$resultCollect$resultHypParam$solID, c("11_1_1", "11_12_2"))
  expect_identical(made$resultCollect$resultHypParam$trial, c(11L, 11L))
  expect_identical(made$trial, 11L)
  expect_identical(made$resultCollect$iter, 0)
})
