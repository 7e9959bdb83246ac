# Live, where Robyn is installed: the generated data by day, week and month, every model and the
# choice among them.

generated <- function(name) {
  data <- utils::read.csv(file.path("..", "..", "..", "examples", "data", name))
  data$DATE <- as.Date(data$DATE)
  data
}

by_month <- function(data) {
  data$DATE <- as.Date(format(data$DATE, "%Y-%m-01"))
  numbers <- setdiff(names(data), c("DATE", "EVENTS"))
  months <- stats::aggregate(data[numbers], data["DATE"], sum)
  events <- tapply(data$EVENTS != "no_event", data$DATE, any)
  months$EVENTS <- ifelse(events[as.character(months$DATE)], "event", "no_event")
  months
}

# Arguments of robyn_job(), whose folder lives as long as its caller.
generated_job <- function(data, ...) {
  exposures <- c("TV_GRP", "SEARCH_CLICKS", "SOCIAL_IMPRESSIONS", "RADIO_COST")
  list(
    data = data, market = "NL", target = "REVENUE", window_start = format(min(data$DATE)),
    window_end = format(max(data$DATE)), channel_names = c("tv", "search", "social", "radio"),
    channel_spends = c("TV_COST", "SEARCH_COST", "SOCIAL_COST", "RADIO_COST"),
    channel_exposures = exposures, channel_signs = rep("positive", 4),
    organic = I("NEWSLETTER"), organic_signs = I("positive"),
    context = c("COMPETITOR_SALES", "EVENTS"), context_signs = rep("default", 2),
    factors = I("EVENTS"), prophet_country = "NL", ...
  )
}

both_searches <- function(cfg) {
  inputs <- quietly(robyn_engine_inputs(cfg, read_data(cfg)))
  theirs <- quietly(Robyn::robyn_run(
    inputs, cores = cfg$workers, iterations = cfg$iterations, trials = cfg$trials, seed = cfg$seed,
    ts_validation = cfg$ts_validation, nevergrad_algo = cfg$nevergrad_algo
  ))
  list(inputs = inputs, theirs = theirs, ours = quietly(run_trials(inputs, cfg, memory_log())))
}

expect_same_models <- function(both) {
  expect_identical(setdiff(names(both$theirs), names(both$ours)), character())
  expect_identical(names(attributes(both$ours)), names(attributes(both$theirs)))
  for (trial in grep("^trial[0-9]", names(both$theirs), value = TRUE)) {
    theirs <- both$theirs[[trial]]
    ours <- both$ours[[trial]]
    expect_identical(ours[-1], theirs[-1])
    expect_identical(names(ours$resultCollect), names(theirs$resultCollect))
    for (table in c("resultHypParam", "xDecompAgg")) {
      expect_same_table(ours$resultCollect[[table]], theirs$resultCollect[[table]])
      expect_identical(
        lapply(ours$resultCollect[[table]], class), lapply(theirs$resultCollect[[table]], class)
      )
    }
    drawn <- names(theirs$hyperBoundNG)
    drawn <- setdiff(drawn, "lambda")
    expect_identical(
      as.data.frame(ours$resultCollect$resultHypParam)[drawn],
      as.data.frame(theirs$resultCollect$resultHypParam)[drawn]
    )
  }
  kept <- setdiff(names(both$theirs), c(
    "train_timestamp", "convergence", "ts_validation_plot", "trial1", "trial2"
  ))
  expect_equal(both$ours[kept], both$theirs[kept])
}

test_that("days, with a week's season", {
  skip_without_robyn_search()
  cfg <- do.call(robyn_job, generated_job(
    generated("nl_daily.csv"), frequency = "day", iterations = 25,
    prophet_vars = c("trend", "season", "weekday", "holiday"), prophet_signs = rep("default", 4)
  ))
  expect_same_models(both_searches(cfg))
})

test_that("weeks, Weibull, validation and two asks at a time", {
  skip_without_robyn_search()
  cfg <- do.call(robyn_job, generated_job(
    generated("de_weekly.csv"), adstock = "weibull_cdf", iterations = 25, workers = 2,
    ts_validation = TRUE
  ))
  expect_same_models(both_searches(cfg))
})

test_that("months", {
  skip_without_robyn_search()
  cfg <- do.call(robyn_job, generated_job(
    by_month(generated("nl_daily.csv")), frequency = "month", iterations = 25
  ))
  expect_same_models(both_searches(cfg))
})

test_that("an optimiser that is left to nevergrad", {
  skip_without_robyn_search()
  cfg <- robyn_job(iterations = 40)
  cfg$nevergrad_algo <- "LhsDE"
  expect_same_models(both_searches(cfg))
})

test_that("Robyn picks the same Pareto set, clusters and models from ours", {
  skip_without_robyn_search()
  cfg <- robyn_job(iterations = 150, trials = 2)
  both <- both_searches(cfg)
  expect_same_models(both)
  outputs <- function(models) {
    quietly(Robyn::robyn_outputs(
      both$inputs, models, export = FALSE, min_candidates = 20, clusters = TRUE, quiet = TRUE
    ))
  }
  theirs <- outputs(both$theirs)
  ours <- outputs(both$ours)
  expect_identical(ours$allSolutions, theirs$allSolutions)
  expect_identical(ours$clusters$models$solID, theirs$clusters$models$solID)
  expect_equal(ours$clusters$data$cluster, theirs$clusters$data$cluster)
  expect_same_table(ours$resultHypParam, theirs$resultHypParam)
})
