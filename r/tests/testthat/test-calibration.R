golden <- read_golden("calibration_immediate")
prepare <- function(inputs) search_problem(inputs, search_settings(inputs, list()))

test_that("an experiment that starts within a period takes that period too", {
  studies <- prepare(golden$inputs)$studies
  dates <- golden$inputs$dt_mod$ds
  first <- studies[[1]] # from 2018-05-01, a Tuesday
  expect_identical(dates[first$rows[1]], as.Date("2018-04-30"))
  expect_identical(first$model_days, as.numeric(diff(range(dates[first$rows]))))
  both <- match(c("facebook_I", "search_clicks_P"), golden$inputs$all_media)
  expect_identical(studies[[3]]$channels, both)
})

test_that("the whole response is the sum of the periods, scaled to the experiment's days", {
  inputs <- golden$inputs
  inputs$calibration_input$calibration_scope <- "total"
  problem <- prepare(inputs)
  saturated <- rep(list(rep(0.5, problem$rows)), 6)
  errors <- calibration_errors(problem, numeric(), saturated, rep(100, 6), rep(1, 6))
  study <- problem$studies[[2]]
  expected <- 50 * length(study$window_rows) / study$model_days * study$lift_days
  expect_equal(errors[1:2, 2], rep(expected, 2))
  expect_equal(errors[3, 2], abs(expected - study$lift) / study$lift)
})

test_that("what media before the experiment left over does not count as immediate", {
  problem <- prepare(golden$inputs)
  row <- vapply(problem$space$columns, function(name) mean(problem$space$all[[name]]), 0)
  rows <- problem$studies[[1]]$rows
  carried <- carried_over(problem, row, 4L, rows, 1000)
  theta <- row[["facebook_I_thetas"]]
  before <- geometric_adstock(problem$media$facebook_I, theta)[rows[1] - 1]
  left <- before * theta^seq_along(rows)
  expect_equal(carried, hill_saturation(left, row[["facebook_I_alphas"]], 1000), tolerance = 1e-6)
})

test_that("a Weibull sum at some periods is the adstock there", {
  x <- c(10, 0, 0, 5, 0, 0, 0, 1)
  expect_equal(
    weibull_exactly(x, 2, 0.5, "pdf", c(2, 8)), weibull_adstock(x, 2, 0.5, "pdf")[c(2, 8)]
  )
})

test_that("experiments outside of the window are refused", {
  inputs <- golden$inputs
  inputs$calibration_input$liftStartDate <- inputs$calibration_input$liftStartDate - 3000
  inputs$calibration_input$liftEndDate <- inputs$calibration_input$liftEndDate - 3000
  expect_error(prepare(inputs), "is within the modelling window", class = "mmm_data_error")
})
