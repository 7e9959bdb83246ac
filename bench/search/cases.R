# The inputs of the benchmark's models, made by robyn_inputs().

MEDIA <- c("tv_S", "ooh_S", "print_S", "facebook_I", "search_clicks_P")
RANGES <- list(
  alphas = c(0.5, 3), gammas = c(0.3, 1), thetas = c(0, 0.5), shapes = c(0, 10), scales = c(0, 0.1)
)

hyperparameter_ranges <- function(media, adstock) {
  named <- lapply(sub(".*_", "", Robyn::hyper_names(adstock, media)), function(k) RANGES[[k]])
  c(stats::setNames(named, Robyn::hyper_names(adstock, media)), list(train_size = c(0.5, 0.8)))
}

with_hyperparameters <- function(inputs, adstock) {
  ranges <- hyperparameter_ranges(inputs$all_media, adstock)
  Robyn::robyn_inputs(InputCollect = inputs, hyperparameters = ranges)
}

# Robyn's own example: 208 weeks with a window of 157, 5 paid media, newsletter, prophet, a factor.
weekly <- function(adstock = "geometric", ...) {
  with_hyperparameters(Robyn::robyn_inputs(
    dt_input = Robyn::dt_simulated_weekly, dt_holidays = Robyn::dt_prophet_holidays,
    date_var = "DATE", dep_var = "revenue", dep_var_type = "revenue",
    prophet_vars = c("trend", "season", "holiday"), prophet_country = "DE",
    context_vars = c("competitor_sales_B", "events"), factor_vars = "events",
    paid_media_spends = c("tv_S", "ooh_S", "print_S", "facebook_S", "search_S"),
    paid_media_vars = MEDIA, organic_vars = "newsletter", window_start = "2016-01-01",
    window_end = "2018-12-31", adstock = adstock, ...
  ), adstock)
}

calibrated <- function() {
  data <- as.data.frame(Robyn::dt_simulated_weekly)
  start <- as.Date(c("2018-05-01", "2018-04-03", "2017-12-01"))
  end <- as.Date(c("2018-06-10", "2018-06-03", "2017-12-31"))
  column <- c("facebook_S", "tv_S", "newsletter")
  within <- function(name, from, to) sum(data[[name]][data$DATE >= from & data$DATE <= to])
  spend <- mapply(within, column, start, end)
  weekly(calibration_input = data.frame(
    channel = column, liftStartDate = start, liftEndDate = end, liftAbs = c(4e5, 3e5, 2e5),
    spend = unname(spend), confidence = 0.9, metric = "revenue",
    calibration_scope = c("immediate", "total", "immediate")
  ))
}

# Simulated data: three years of days, 20 paid media. No prophet, because its daily fit takes minutes.
daily <- function() {
  set.seed(20)
  days <- 3 * 365
  dates <- seq(as.Date("2021-01-01"), by = 1, length.out = days)
  media <- sprintf("media_%02d", 1:20)
  spend <- vapply(media, function(m) {
    stats::rgamma(days, 2, 1 / 500) * (stats::runif(days) > 0.3)
  }, numeric(days))
  price <- 10 + cumsum(stats::rnorm(days, 0, 0.02))
  sales <- 2e5 - 5000 * price + 30 * rowSums(sqrt(spend)) + stats::rnorm(days, 0, 5000)
  data <- data.frame(DATE = dates, sales = sales, price = price, spend)
  with_hyperparameters(suppressWarnings(Robyn::robyn_inputs(
    dt_input = data, dt_holidays = Robyn::dt_prophet_holidays, date_var = "DATE",
    dep_var = "sales", dep_var_type = "revenue", context_vars = "price",
    paid_media_spends = media, paid_media_vars = media, adstock = "geometric",
    window_start = dates[31], window_end = dates[days]
  )), "geometric")
}

CASES <- list(
  geometric = weekly, weibull_pdf = function() weekly("weibull_pdf"),
  weibull_cdf = function() weekly("weibull_cdf"), calibration = calibrated, daily = daily
)
