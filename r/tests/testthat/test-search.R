# The models of the search are Robyn's: against Robyn's own numbers, kept in ../golden.

for (case in golden_cases()) {
  test_that(paste("the search draws and scores Robyn's models:", case), {
    golden <- read_golden(case)
    cfg <- search_cfg(golden$run)
    if (uses_nevergrad(c(cfg, search = "fast"))) {
      skip_if_not(nevergrad_here(), "nevergrad is not importable (RETICULATE_PYTHON)")
    }
    settings <- search_settings(golden$inputs, cfg)
    trials <- lapply(seq_len(settings$trials), function(k) search_trial(golden$inputs, cfg, k))
    tables <- lapply(trials, function(trial) as.data.frame(trial$resultCollect$resultHypParam))
    models <- do.call(rbind, tables)
    theirs <- golden$resultHypParam
    expect_equal(nrow(models), settings$trials * ceiling(settings$iterations / settings$workers) *
      settings$workers)
    # Drawn hyperparameters are the very same numbers, as far as the golden digits go.
    drawn <- names(trials[[1]]$hyperBoundNG)
    expect_identical(drawn, as.character(golden$setup$hyper_bound_ng))
    expect_same_table(
      models[match(theirs$solID, models$solID), setdiff(drawn, "lambda"), drop = FALSE],
      theirs[setdiff(drawn, "lambda")], tolerance = 1e-14
    )
    expect_same_table(models[match(theirs$solID, models$solID), ], theirs)

    first <- trials[[1]]$resultCollect
    expect_same_table(same_models(first$xDecompAgg, golden$xDecompAgg), golden$xDecompAgg)
    if (!is.null(golden$liftCalibration)) {
      expect_same_table(
        same_models(first$liftCalibration, golden$liftCalibration), golden$liftCalibration
      )
    }
    for (table in names(golden$setup$classes)) {
      classes <- vapply(first[[table]], function(x) class(x)[1], "")
      known <- unlist(golden$setup$classes[[table]])
      expect_identical(classes[names(known)], known, info = table)
    }
    # With several workers Robyn's order within a batch is that of its processes' clocks.
    if (settings$workers == 1 && settings$iterations > 1) {
      expect_identical(converge(trials)$conv_msg, golden$setup$conv_msg)
    }
  })
}

for (name in CONFIG_ENUMS$nevergrad_algo) {
  test_that(paste("an optimiser draws and scores as in Robyn's search:", name), {
    if (uses_nevergrad(list(search = "fast", nevergrad_algo = name))) {
      skip_if_not(nevergrad_here(), "nevergrad is not importable (RETICULATE_PYTHON)")
    }
    golden <- read_golden("optimisers")
    theirs <- golden$resultHypParam
    theirs <- theirs[theirs$nevergrad_algo == name, -1]
    rownames(theirs) <- NULL
    cfg <- search_cfg(golden$run)
    cfg$nevergrad_algo <- name
    models <- as.data.frame(search_trial(golden$inputs, cfg, 1L)$resultCollect$resultHypParam)
    drawn <- setdiff(names(theirs), "nrmse")
    expect_same_table(models[drawn], theirs[drawn], tolerance = 1e-14)
    expect_same_table(models["nrmse"], theirs["nrmse"])
  })
}

test_that("progress is told from the start to the end, with the best errors so far", {
  golden <- read_golden("geometric")
  told <- list()
  trial <- search_trial(golden$inputs, list(iterations = 30L), 1L, function(...) {
    told[[length(told) + 1]] <<- list(...)
  })
  expect_identical(told[[1]][[1]], 0L)
  last <- told[[length(told)]]
  expect_identical(last[[1]], 30L)
  models <- trial$resultCollect$resultHypParam
  expect_equal(c(last[[2]], last[[3]]), c(min(models$nrmse), min(models$decomp.rssd)))
})

test_that("progress comes at least every two seconds, however many are asked at once", {
  golden <- read_golden("geometric")
  for (workers in c(1L, 16L)) {
    settings <- search_settings(golden$inputs, list(iterations = 48L, workers = workers))
    time <- 0 # each look at the clock takes 0.45 s, each model has two: 43 s in all
    clock <- function() time <<- time + 0.45
    told <- list(at = numeric(), iteration = integer())
    run_iterations(
      search_problem(golden$inputs, settings), settings, 1L,
      function(iteration, ...) {
        told$at <<- c(told$at, time)
        told$iteration <<- c(told$iteration, iteration)
      }, clock
    )
    expect_lte(max(diff(c(0, told$at, time))), 2)
    expect_identical(range(told$iteration), c(0L, 48L))
    expect_false(is.unsorted(told$iteration))
    # ... and not with every model either: the log is not flooded.
    expect_lt(length(told$at), 30)
  }
})

test_that("a trial's seed is the run's plus its number", {
  golden <- read_golden("geometric")
  drawn <- function(seed, trial) {
    cfg <- list(iterations = 3L, seed = seed)
    as.data.frame(search_trial(golden$inputs, cfg, trial)$resultCollect$resultHypParam)$tv_S_alphas
  }
  expect_identical(drawn(10L, 2L), drawn(11L, 1L))
  expect_false(identical(drawn(10L, 1L), drawn(11L, 1L)))
})

test_that("R's own random numbers are left alone", {
  golden <- read_golden("geometric")
  set.seed(7)
  before <- .Random.seed
  search_trial(golden$inputs, list(iterations = 5L), 1L)
  expect_identical(.Random.seed, before)
})
