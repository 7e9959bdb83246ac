test_that("means, carry-over, ROAS and CPA are Robyn's", {
  for (case in names(OUTPUT_CASES)) {
    made <- made_golden(case, OUTPUT_CASES[[case]])
    robyn <- made$robyn$media
    rows <- match(paste(robyn$solID, robyn$rn), made$ours$parts$agg[, paste(solID, rn)])
    for (column in c(
      "mean_response", "mean_spend_adstocked", "mean_carryover", "roi_mean", "roi_total",
      "cpa_mean", "cpa_total", "carryover_pct"
    )) {
      expect_near(made$ours$parts$agg[[column]][rows], robyn[[column]], paste(case, column))
    }
  }
})

test_that("the immediate part is all of the input but for a lagging Weibull", {
  x <- c(1, 2, 3, 4)
  expect_identical(immediate_input(x, list(theta = 0.5), "geometric"), x)
  expect_identical(immediate_input(x, list(shape = 2, scale = 0.5), "weibull_cdf"), x)
  expect_identical(immediate_input(x, list(shape = 0, scale = 0.5), "weibull_pdf"), x)
  weight <- weibull_weights(4, 3, 0.5, "pdf")[1]
  expect_equal(immediate_input(x, list(shape = 3, scale = 0.5), "weibull_pdf"), x * weight)
})

test_that("carry-over is the input of earlier periods", {
  parameters <- list(theta = 0.5, alpha = 1, gamma = 0.5)
  made <- transform_medium(c(8, 0, 0), parameters, "geometric", 2:3)
  expect_equal(made$total, c(4, 2))
  expect_equal(made$carryover, c(4, 2))
  expect_equal(made$saturated, made$saturated_carryover)
  expect_equal(made$inflexion, 2)
})

test_that("the slope is the curve's derivative", {
  x <- c(0.5, 1, 3)
  step <- 1e-6
  for (alpha in c(0.7, 1, 2.5)) {
    rise <- hill_saturation(x + step, alpha, 2) - hill_saturation(x - step, alpha, 2)
    expect_equal(hill_slope(x, alpha, 2), rise / (2 * step), tolerance = 1e-6)
  }
})
