golden <- read_golden("refresh")
trial <- search_trial(golden$inputs, search_cfg(golden$run), 1L)

test_that("a trial has the parts of robyn_run's", {
  expect_identical(names(trial), c("resultCollect", "hyperBoundNG", "hyperBoundFixed", "trial"))
  collect <- trial$resultCollect
  expect_identical(
    names(collect), c("resultHypParam", "xDecompAgg", "iter", "elapsed.min")
  )
  expect_identical(collect$resultHypParam$solID[3], "1_3_1")
  models <- collect$resultHypParam
  expect_true(all(diff(models$ElapsedAccum) >= 0) && all(models$Elapsed >= 0))
  expect_equal(models$ElapsedAccum[1], models$Elapsed[1])
})

test_that("contributions add up, over the window and over what a refresh added", {
  decomposition <- as.data.frame(trial$resultCollect$xDecompAgg)
  one <- decomposition[decomposition$solID == "1_7_1", ]
  expect_equal(sum(one$xDecompPerc), 1)
  expect_equal(sum(one$xDecompPercRF), 1)
  expect_true(all(abs(one$xDecompAggRF) <= abs(one$xDecompAgg) + 1e-6 | one$rn == "season"))
  paid <- one$rn %in% golden$inputs$paid_media_selected
  expect_equal(sum(one$effect_share[paid]), 1)
  expect_true(all(is.na(one$effect_share[!paid])))
})

test_that("lift rows are sorted by error, medium and start", {
  calibrated <- read_golden("calibration_total")
  lift <- search_trial(calibrated$inputs, list(iterations = 8L), 1L)$resultCollect$liftCalibration
  expect_identical(nrow(lift), 8L * 4L)
  expect_identical(order(lift$mape, lift$liftMedia, lift$liftStart), seq_len(nrow(lift)))
})
