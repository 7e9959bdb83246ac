test_that("the modelling table of Robyn's example is Robyn's", {
  golden <- read_golden("geometric")
  theirs <- golden$inputs
  holidays <- Sys.getenv("MMM_HOLIDAYS_CSV")
  robyn <- nzchar(system.file(package = "Robyn"))
  skip_if_not(robyn || nzchar(holidays), "no table of holidays: Robyn or MMM_HOLIDAYS_CSV")
  if (robyn) {
    holidays <- tempfile(fileext = ".csv")
    data.table::fwrite(as.data.frame(Robyn::dt_prophet_holidays), holidays)
  }
  data <- as.data.frame(theirs$dt_input)
  cfg <- job_config(
    channel_names = theirs$paid_media_selected, channel_spends = theirs$paid_media_spends,
    channel_exposures = theirs$paid_media_selected, channel_signs = theirs$paid_media_signs,
    organic = theirs$organic_vars, organic_signs = theirs$organic_signs,
    context = theirs$context_vars, context_signs = theirs$context_signs,
    factors = theirs$factor_vars, prophet_vars = theirs$prophet_vars,
    prophet_signs = theirs$prophet_signs, prophet_country = "DE", holidays_csv = holidays,
    window_start = theirs$window_start, window_end = theirs$window_end
  )
  ours <- builtin_inputs(cfg, data)
  expect_identical(names(ours$dt_mod), names(theirs$dt_mod))
  expect_near <- function(table, tolerance) {
    for (column in setdiff(names(table), "ds")) {
      gap <- max(abs(ours$dt_mod[[column]] - table[[column]])) / max(abs(table[[column]]))
      expect_lte(gap, tolerance, label = column)
    }
  }
  # Another range of holidays moves prophet's optimum by some 1e-4.
  expect_near(theirs$dt_mod, if (robyn) golden_tolerance() else 1e-3)
  if (robyn) expect_near(as.data.frame(example_inputs()$dt_mod), 1e-9)
  same <- c(
    "rollingWindowStartWhich", "rollingWindowEndWhich", "rollingWindowLength", "all_media",
    "all_ind_vars", "exposure_vars", "paid_media_selected", "dayInterval", "totalObservations"
  )
  for (field in same) {
    expect_equal(ours[[field]], theirs[[field]], info = field, ignore_attr = TRUE)
  }
})

test_that("exposures are scaled so that their sum in the window is the spend's", {
  made <- made_market()
  window <- made$inputs$dt_modRollWind
  rows <- made$inputs$rollingWindowStartWhich:made$inputs$rollingWindowEndWhich
  expect_equal(sum(window$clicks), sum(made$inputs$dt_input$search_spend[rows]))
  expect_equal(window$tv_spend, made$inputs$dt_input$tv_spend[rows])
  expect_identical(made$inputs$exposure_vars, "clicks")
  expect_identical(
    names(made$inputs$dt_mod),
    c("ds", "dep_var", "trend", "season", "price", "promotion", "tv_spend", "clicks", "newsletter")
  )
  expect_type(made$inputs$dt_mod$promotion, "double")
})

test_that("without prophet the table is the data, factors numbers all the same", {
  cfg <- job_config(prophet_vars = character(), prophet_signs = character())
  inputs <- builtin_inputs(cfg, simulated_market()$data)
  expect_false(any(c("trend", "season") %in% names(inputs$dt_mod)))
  expect_type(inputs$dt_mod$promotion, "double")
  cfg <- job_config(
    prophet_vars = character(), prophet_signs = character(), context = "price",
    context_signs = "default", factors = character()
  )
  inputs <- builtin_inputs(cfg, simulated_market()$data)
  expect_identical(inputs$dt_mod$price, simulated_market()$data$price)
})

test_that("hyperparameters are completed with defaults", {
  media <- c("tv_spend", "clicks")
  cfg <- job_config(hyperparameters = list(tv_spend_alphas = c(1, 2)))
  ranges <- complete_hyperparameters(cfg, media)
  expect_identical(ranges$tv_spend_alphas, c(1, 2))
  expect_identical(ranges$clicks_thetas, c(0, 0.8))
  expect_identical(ranges$train_size, c(0.5, 0.8))
  expect_setequal(
    names(ranges), c(hyperparameter_names("geometric", media), "train_size")
  )
})

test_that("holidays are those of the job's country", {
  path <- tempfile()
  utils::write.csv(data.frame(
    ds = "2021-01-01", holiday = c("New Year", "Neujahr"), country = c("FR", "DE"), year = 2021
  ), path, row.names = FALSE)
  cfg <- job_config(
    prophet_vars = c("trend", "holiday"), prophet_country = "FR", holidays_csv = path
  )
  expect_identical(job_holidays(cfg, as.Date("2021-01-04"))$holiday, "New Year")
  expect_null(job_holidays(job_config(prophet_vars = "trend"), as.Date("2021-01-04")))
})

test_that("lift tests are taken by spend or exposure name", {
  test <- data.frame(
    channel = "tv_spend+search_spend", liftStartDate = "2021-03-01", liftEndDate = "2021-03-29",
    liftAbs = 100, spend = 50, confidence = 0.9, metric = "revenue",
    calibration_scope = "immediate"
  )
  found <- lift_tests(job_config(calibration = test))
  expect_identical(found$channel_selected, "tv_spend+clicks")
  expect_s3_class(found$liftStartDate, "Date")
  test$channel <- "clicks"
  expect_identical(lift_tests(job_config(calibration = test))$channel_selected, "clicks")
  expect_null(lift_tests(job_config()))
})
