test_that("what is not given has Robyn's default, and types are exact", {
  settings <- search_settings(list(), list(iterations = 50, seed = 9))
  expect_identical(settings$iterations, 50L)
  expect_identical(settings$seed, 9L)
  expect_identical(settings$weights, c(1, 1))
  calibrated <- list(calibration_input = data.frame())
  expect_identical(search_settings(calibrated, list())$objectives, 3L)
  expect_identical(search_settings(calibrated, list(refresh = TRUE))$weights, c(0, 1, 1))
})
