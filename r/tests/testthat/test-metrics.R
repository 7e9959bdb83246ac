test_that("metrics are those of the best model's row", {
  made <- made_market()
  metrics <- made$outputs$metrics
  row <- made$outputs$tables$models[is_best_model == TRUE]
  expect_identical(metrics$best_model, row$model_id)
  expect_equal(metrics$rsq_train, row$rsq_train)
  expect_identical(metrics$rsq_val, NA)
  expect_equal(metrics$error_score, row$error_score)
  expect_identical(vapply(metrics$channels, `[[`, "", "name"), c("tv", "search"))
  expect_equal(sum(unlist(metrics$contribution_shares)), 1)
  expect_identical(metrics$models$tried, 3000L)
  expect_identical(metrics$performance_measure, "roas")
  expect_null(metrics$channels[[1]]$cpa)
  expect_lte(metrics$channels[[1]]$interval_low, metrics$channels[[1]]$interval_high)
})

test_that("conversions have a CPA", {
  made <- made_golden("de", "conversion")
  channel <- made$ours$metrics$channels[[1]]
  expect_identical(made$ours$metrics$performance_measure, "cpa")
  expect_null(channel$roas)
  expect_equal(channel$cpa, channel$spend / channel$contribution)
})

test_that("validation figures are there where rows were held back", {
  metrics <- made_golden("ts_validation")$ours$metrics
  expect_true(is.numeric(metrics$rsq_val) && is.numeric(metrics$rsq_test))
})

test_that("convergence is told in numbers", {
  convergence <- made_market()$outputs$metrics$convergence
  expect_named(convergence, c("decomp_rssd", "nrmse"), ignore.order = TRUE)
  for (objective in convergence) {
    steady <- objective$last_sd <= objective$sd_limit
    expect_identical(objective$converged, steady && objective$last_median < objective$median_limit)
  }
  expect_null(convergence_metrics(NULL))
})
