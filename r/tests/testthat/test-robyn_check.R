example_search <- function() {
  remember("models", function() run_trials(example_inputs(), robyn_job(), memory_log()))
}

test_that("relative_difference sees what is missing and what is rounding", {
  expect_identical(relative_difference(c(1, 2), c(1, 2)), 0)
  expect_equal(relative_difference(c(1, 100), c(1, 101)), 1 / 101)
  # A small figure counts as much as a large one, but not below a billionth of the largest.
  expect_equal(relative_difference(c(1e6, 1e-2), c(1e6, 2e-2)), 0.5)
  expect_lt(relative_difference(c(1e6, 1e-12), c(1e6, 2e-12)), 1e-8)
  expect_identical(relative_difference(c(NA, 1), c(NA, 1)), 0)
  expect_identical(relative_difference(c(NA, 1), c(1, 1)), NA_real_)
  expect_identical(relative_difference(c(Inf, 1), c(Inf, 1)), 0)
  expect_identical(relative_difference(c(Inf, 1), c(1, 1)), NA_real_)
  expect_identical(relative_difference(1:2, 1:3), NA_real_)
  expect_identical(relative_difference(NULL, 1), NA_real_)
})

test_that("the sample holds the chosen models and spreads over all trials", {
  trial <- function(k, n) {
    ids <- paste(k, seq_len(n), 1, sep = "_")
    list(resultCollect = list(resultHypParam = data.frame(solID = ids)))
  }
  trials <- list(trial1 = trial(1, 50), trial2 = trial(2, 50))
  ids <- sample_models(trials, c("2_7_1", "1_3_1"), 8)
  expect_length(ids, 8)
  expect_false(anyDuplicated(ids) > 0)
  expect_identical(ids[1:2], c("2_7_1", "1_3_1"))
  expect_setequal(substr(ids, 1, 1), c("1", "2"))
  expect_length(sample_models(list(trial1 = trial(1, 3)), "1_1_1", 8), 3)
})

test_that("models of the fast search are Robyn's to the last digits", {
  skip_without_robyn()
  models <- example_search()
  check <- robyn_selfcheck(example_inputs(), models, robyn_job(), c("1_60_1", "1_2_1"))
  expect_true(check$passed)
  expect_lt(check$largest_difference, 1e-10)
  expect_length(check$models, SELFCHECK_MODELS)
  expect_true(all(c("1_60_1", "1_2_1") %in% unlist(check$models)))
})

test_that("a model that is not what its hyperparameters make is found", {
  skip_without_robyn()
  tampered <- function(change) {
    models <- example_search()
    models$trial1$resultCollect <- change(models$trial1$resultCollect)
    robyn_selfcheck(example_inputs(), models, robyn_job(), "1_60_1")
  }
  coefficient <- tampered(function(trial) {
    at <- trial$xDecompAgg$solID == "1_60_1" & trial$xDecompAgg$rn == "tv_S"
    trial$xDecompAgg$coef[at] <- trial$xDecompAgg$coef[at] * (1 + 1e-6)
    trial
  })
  expect_false(coefficient$passed)
  expect_equal(coefficient$largest_difference, 1e-6, tolerance = 1e-3)
  expect_identical(coefficient$where, "1_60_1 coef")
  error <- tampered(function(trial) {
    trial$resultHypParam$nrmse[60] <- NA
    trial
  })
  expect_false(error$passed)
  expect_null(error$largest_difference)
})

test_that("penalties, validation, Weibull and calibration are recomputed too", {
  skip_without_robyn()
  cfg <- robyn_job(
    adstock = "weibull_pdf", calibration = lift_studies(), ts_validation = TRUE,
    add_penalty_factor = TRUE, iterations = 6
  )
  inputs <- quietly(robyn_engine_inputs(cfg, read_data(cfg)))
  models <- quietly(run_trials(inputs, cfg, memory_log()))
  check <- robyn_selfcheck(inputs, models, cfg, "1_6_1")
  expect_true(check$passed)
  models$trial1$resultCollect$liftCalibration$mape_lift <- 0.5
  expect_false(robyn_selfcheck(inputs, models, cfg, "1_6_1")$passed)
})
