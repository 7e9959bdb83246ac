golden <- read_golden("geometric")
prepare <- function(inputs, ...) search_problem(inputs, search_settings(inputs, list(...)))

test_that("the problem has Robyn's predictors, penalty range and spend shares", {
  problem <- prepare(golden$inputs)
  expect_identical(problem$predictors, golden$inputs$all_ind_vars)
  expect_equal(problem$lambda_max, golden$resultHypParam$lambda_max[1], tolerance = 1e-12)
  paid <- problem$spend[1:5, ]
  expect_equal(sum(paid$spend_share), 1)
  theirs <- golden$xDecompAgg[match(paid$rn, golden$xDecompAgg$rn), ]
  expect_equal(paid$total_spend, theirs$total_spend)
  expect_identical(is.na(problem$spend$mean_exposure), is.na(
    golden$xDecompAgg$mean_exposure[match(problem$spend$rn, golden$xDecompAgg$rn)]
  ))
})

test_that("signs become limits, and a falling trend turns its own", {
  inputs <- golden$inputs
  inputs$context_signs <- c("negative", "positive")
  limits <- coefficient_limits(inputs)
  expect_identical(limits$lower[1:5], c(0, 0, 0, -Inf, 0))
  expect_identical(limits$upper[1:5], c(1, 1, 1, 0, Inf))
  inputs$dt_mod$trend <- -inputs$dt_mod$trend
  turned <- trend_limits(prepare(inputs), 1:100)
  expect_identical(c(turned$lower[1], turned$upper[1]), c(-1, 0))
  expect_identical(trend_limits(prepare(golden$inputs), 1:100), prepare(golden$inputs)$limits)
})

test_that("a table that cannot be modelled is refused by column", {
  refuse <- function(change) {
    expect_error(prepare(change(golden$inputs)), class = "mmm_data_error")
  }
  expect_match(conditionMessage(refuse(function(i) {
    i$dt_mod$events <- factor(i$dt_mod$events > 0)
    i
  })), "`events`.*numeric")
  expect_match(conditionMessage(refuse(function(i) {
    i$dt_mod$tv_S[3] <- NA
    i
  })), "`tv_S`.*1 missing")
  expect_match(conditionMessage(refuse(function(i) {
    i$dt_mod$tv_S <- 0
    i
  })), "`tv_S` is never above 0")
  expect_match(conditionMessage(refuse(function(i) {
    i$dt_mod$dep_var <- 1
    i
  })), "constant")
  expect_match(conditionMessage(refuse(function(i) {
    i$dt_input <- NULL
    i
  })), "`dt_input`")
})

test_that("a refresh needs the one model that it refreshes", {
  refresh <- read_golden("refresh")$inputs
  expect_equal(prepare(refresh, refresh = TRUE)$previous$kept, 1 - 4 / 157)
  refresh$xDecompAggPrev <- refresh$xDecompAggPrev[-2, ]
  expect_error(prepare(refresh, refresh = TRUE), "xDecompAggPrev|refreshed model",
    class = "mmm_data_error")
})
