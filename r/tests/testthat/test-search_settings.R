test_that("what is not given has Robyn's default, and types are exact", {
  settings <- search_settings(list(), list(iterations = 50, seed = 9))
  expect_identical(settings$iterations, 50L)
  expect_identical(settings$seed, 9L)
  expect_identical(settings$weights, c(1, 1))
  calibrated <- list(calibration_input = data.frame())
  expect_identical(search_settings(calibrated, list())$objectives, 3L)
  expect_identical(search_settings(calibrated, list(refresh = TRUE))$weights, c(0, 1, 1))
})

test_that("values that cannot be are refused by name", {
  refuse <- function(...) {
    expect_error(search_settings(list(), list(...)), class = "mmm_config_error")
  }
  expect_match(conditionMessage(refuse(iterations = 0)), "`iterations` is 0")
  expect_match(conditionMessage(refuse(seed = 1.5)), "`seed` is 1.5")
  expect_match(conditionMessage(refuse(intercept = "yes")), "`intercept`")
  expect_match(conditionMessage(refuse(intercept_sign = "negative")), "unconstrained")
  expect_match(conditionMessage(refuse(objective_weights = 1:3)), "2 numbers")
  expect_match(conditionMessage(refuse(objective_weights = c(0, 0))), "not all 0")
})
