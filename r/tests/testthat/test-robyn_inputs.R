test_that("robyn_inputs gets from a job what Robyn's own example gets by hand", {
  skip_without_robyn()
  ours <- example_inputs()
  ranges <- example_ranges(ours$all_media, "geometric")
  theirs <- quietly(Robyn::robyn_inputs(
    dt_input = Robyn::dt_simulated_weekly, dt_holidays = Robyn::dt_prophet_holidays,
    date_var = "DATE", dep_var = "revenue", dep_var_type = "revenue",
    prophet_vars = c("trend", "season", "holiday"), prophet_country = "DE",
    context_vars = c("competitor_sales_B", "events"), factor_vars = "events",
    paid_media_spends = c("tv_S", "ooh_S", "print_S", "facebook_S", "search_S"),
    paid_media_vars = c("tv_S", "ooh_S", "print_S", "facebook_I", "search_clicks_P"),
    organic_vars = "newsletter", window_start = "2016-01-01", window_end = "2018-12-31",
    adstock = "geometric", hyperparameters = c(ranges, list(train_size = c(0.5, 0.8)))
  ))
  expect_identical(unique(class(ours)), class(theirs))
  expect_setequal(names(ours), names(theirs))
  same <- setdiff(names(theirs), c("dt_input", "dt_holidays", "ExposureCollect", "custom_params"))
  for (field in same) expect_equal(ours[[field]], theirs[[field]], tolerance = 1e-12, info = field)
  expect_equal(as.data.frame(ours$dt_input), as.data.frame(theirs$dt_input)[names(ours$dt_input)])
})

test_that("the modelling table is the one of the golden runs", {
  skip_without_robyn()
  golden <- read_golden("geometric")$inputs$dt_mod
  expect_equal(as.data.frame(example_inputs()$dt_mod), golden, tolerance = golden_tolerance())
})

test_that("no context, organic, factor or holiday is no obstacle", {
  skip_without_robyn()
  cfg <- robyn_job(
    organic = list(), organic_signs = list(), context = list(), context_signs = list(),
    factors = list(), prophet_vars = I("trend"), prophet_signs = I("default"),
    prophet_country = NULL,
    channel_exposures = c("tv_S", "ooh_S", "print_S", "facebook_S", "search_S")
  )
  inputs <- quietly(robyn_engine_inputs(cfg, read_data(cfg)))
  expect_identical(names(inputs$dt_mod), c("ds", "dep_var", "trend", cfg$channel_spends))
})

test_that("lift tests go to Robyn by the names of spends", {
  skip_without_robyn()
  studies <- lift_studies()
  studies$channel[1] <- "facebook_I"
  cfg <- robyn_job(calibration = studies)
  expect_identical(robyn_lift_tests(cfg)$channel, c("facebook_S", "tv_S"))
})

test_that("Robyn refuses ranges of penalties, and adds its own", {
  skip_without_robyn()
  cfg <- robyn_job(add_penalty_factor = TRUE, iterations = 12)
  inputs <- example_inputs()
  penalty <- list(tv_S_penalty = c(0, 0.5))
  expect_error(
    quietly(Robyn::robyn_inputs(
      InputCollect = inputs, hyperparameters = c(inputs$hyperparameters, penalty)
    )),
    "wrong names: tv_S_penalty"
  )

  bounds <- run_trials(inputs, cfg, memory_log())$hyper_updated
  added <- bounds[grep("_penalty$", names(bounds))]
  variables <- setdiff(names(inputs$dt_mod), c("ds", "dep_var"))
  expect_setequal(names(added), paste0(variables, "_penalty"))
  expect_identical(unique(unname(added)), list(c(0, 1)))
})

test_that("a change that Robyn makes in silence is an error", {
  skip_without_robyn()
  inputs <- example_inputs()
  cfg <- robyn_job()
  window <- list(rows = c(inputs$rollingWindowStartWhich, inputs$rollingWindowEndWhich))
  expect_identical(check_robyn_inputs(inputs, cfg, window), inputs)
  inputs$rollingWindowEndWhich <- 200L
  expect_error(check_robyn_inputs(inputs, cfg, window), "last row", class = "robyn_error")
})

test_that("Robyn's own holidays are used where they have the country and its years", {
  skip_without_robyn()
  path <- tempfile(fileext = ".csv")
  on.exit(unlink(path))
  table <- function(year, country) {
    writeLines(c(
      "ds,holiday,country,year", sprintf("%d-01-01,New Year,%s,%d", year, country, year)
    ), path)
    robyn_holidays(list(holidays_csv = path, prophet_country = country))
  }
  own <- as.data.frame(Robyn::dt_prophet_holidays)
  expect_identical(table(2018, "DE"), own)
  expect_equal(nrow(table(2018, "ZZ")), 1)
  expect_equal(nrow(table(max(own$year) + 1, "DE")), 1)
  expect_identical(robyn_holidays(list(holidays_csv = NULL)), own)
})

test_that("factors whose effects Robyn mixes up give a warning", {
  expect_warning(warn_of_factor_names(c("event", "events")), "`event` starts that of `events`")
  expect_silent(warn_of_factor_names(c("event", "holiday")))
})
