test_that("one-hot columns are one less than the levels", {
  three <- one_hot(c("na", "b", "a", "na", "na", "b"), "events")
  expect_identical(names(three), c("events_a", "events_b"))
  expect_identical(three$events_b, c(0, 1, 0, 0, 0, 1))
  two <- one_hot(c("no", "yes", "no"), "sale")
  expect_identical(names(two), "sale_yes")
  expect_identical(two$sale_yes, c(0L, 1L, 0L))
})

test_that("the rarer of many levels are one, missing ones a level of their own", {
  values <- c(rep(letters[1:12], each = 3), NA, "a", NA)
  columns <- one_hot(values, "f")
  expect_length(columns, 10)
  expect_false("f_l" %in% names(columns))
  # OTHER holds what is beyond the ten; columns sort by name and the last is dropped.
  expect_true("f_OTHER" %in% names(columns) || sum(rowSums(columns) == 0) > 0)
})

test_that("a factor that is almost an id is refused", {
  expect_error(one_hot(letters, "id"), "26 levels in 26 rows", class = "mmm_data_error")
})

test_that("components add up to the target but for noise, factors start at zero", {
  market <- simulated_market()
  made <- prophet_components(
    market$data$revenue, market$data$DATE, market$data["promotion"], c("trend", "season"), NULL
  )
  expect_named(made, c("trend", "season", "promotion"))
  expect_equal(min(made$promotion), 0)
  effect <- tapply(made$promotion, market$data$promotion, mean)
  expect_gt(effect[["sale"]], effect[["fair"]])
  expect_gt(effect[["fair"]], effect[["none"]])
  residual <- market$data$revenue - rowSums(made)
  expect_lt(stats::var(residual), stats::var(market$data$revenue))
})

test_that("levels may be any text", {
  market <- simulated_market()$data
  names <- c(none = "", sale = "Ausverkauf: 50 % \u2013 g\u00fcnstig_delim_", fair = "trend")
  data <- data.frame(promotion = names[market$promotion])
  made <- prophet_components(market$revenue, market$DATE, data, "trend", NULL)
  same <- prophet_components(market$revenue, market$DATE, market["promotion"], "trend", NULL)
  # Which level is left out depends on the names' order; what the levels do, hardly.
  expect_equal(made$promotion, same$promotion, tolerance = 0.05)
})

test_that("monthly and weekday components are there for daily data", {
  dates <- as.Date("2022-01-01") + 0:199
  target <- 100 + 10 * (as.POSIXlt(dates)$wday %in% c(0, 6)) + sin(seq_along(dates))
  made <- prophet_components(
    target, dates, data.frame(row.names = seq_along(dates)), c("trend", "monthly", "weekday"), NULL
  )
  expect_named(made, c("trend", "monthly", "weekday"))
  weekend <- as.POSIXlt(dates)$wday %in% c(0, 6)
  expect_equal(mean(made$weekday[weekend]) - mean(made$weekday[!weekend]), 10, tolerance = 0.2)
})
