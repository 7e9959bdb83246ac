# Random cases for the search: a seed decides data, model and search. See ../fuzz.R.

#' A case: list(data, and the arguments of robyn_job()), and what fuzz_run() does with it:
#' optimiser, refresh (periods added, or 0), recreate (one model by its hyperparameters as well),
#' outputs.
fuzz_case <- function(seed) with_seed(seed, {
  pick <- function(...) sample(c(...), 1)
  chance <- function(p) stats::runif(1) < p
  frequency <- pick("week", "week", "day", "month")
  adstock <- pick("geometric", "weibull_cdf", "weibull_pdf")
  rows <- switch(frequency, week = pick(80:160), day = pick(150:300), month = pick(40:60))
  dates <- switch(frequency,
    month = seq(as.Date(sprintf("2018-%02d-01", pick(1:12))), by = "month", length.out = rows),
    seq(as.Date("2019-12-30") + pick(0:140), by = frequency, length.out = rows)
  )
  made <- fuzz_data(dates, pick, chance)
  data <- made$data
  paid <- made$spends
  exposures <- ifelse(made$exposed, paste0(paid, "_seen"), paid)
  media <- c(exposures, made$organic)
  some_signs <- function(n, kinds) if (n) sample(kinds, n, replace = TRUE) else character()
  of_media <- c("positive", "positive", "positive", "default", "negative")
  of_others <- c("default", "positive", "negative")
  prophet <- c(
    "trend", "season", "holiday", if (frequency == "day") "weekday", if (chance(0.2)) "monthly"
  )
  prophet <- sample(prophet, pick(seq_along(prophet)))
  if (length(made$context) && !length(made$factors) && chance(0.3)) prophet <- character()
  refresh <- if (chance(0.15)) pick(1:5) else 0
  window <- if (chance(0.5)) c(1, rows - refresh) else c(pick(2:15), rows - refresh - pick(0:6))
  workers <- pick(1, 1, 1, 1, 2, 3) # Robyn forks for each batch, which takes its time
  job <- list(
    data = data, adstock = adstock, frequency = frequency, market = pick("DE", "US", "FR"),
    target = "sales", target_kind = pick("revenue", "conversion"),
    window_start = format(dates[window[1]]), window_end = format(dates[window[2]]),
    channel_names = I(paid), channel_spends = I(paid), channel_exposures = I(exposures),
    channel_signs = I(some_signs(length(paid), of_media)), organic = I(made$organic),
    organic_signs = I(some_signs(length(made$organic), of_media)), context = I(made$context),
    context_signs = I(some_signs(length(made$context), of_others)),
    factors = I(made$factors), prophet_vars = I(prophet),
    prophet_signs = I(some_signs(length(prophet), of_others)),
    prophet_country = if ("holiday" %in% prophet) pick("DE", "US", "FR"),
    trials = pick(1, 1, 2), iterations = if (workers > 1) 20 else pick(36, 41),
    seed = pick(0:50000), workers = workers, ts_validation = chance(0.4),
    add_penalty_factor = chance(0.25), intercept = !chance(0.2),
    intercept_sign = pick("non_negative", "unconstrained"), rssd_zero_penalty = !chance(0.3),
    min_candidates = 8,
    # A refresh moves the window on: its studies lie in both.
    calibration = if (chance(0.5)) {
      fuzz_studies(data, made, window + c(refresh, 0), pick, chance)
    } else list(),
    outputs = chance(0.5), refresh = refresh, recreate = chance(0.3)
  )
  job$hyperparameters <- fuzz_ranges(media, adstock, job, chance)
  job["objective_weights"] <- list(if (chance(0.3)) {
    weights <- round(stats::runif(2 + (NROW(job$calibration) > 0), 0, 10), 2)
    if (chance(0.3)) c(weights[-1], 0) else weights
  })
  job$optimiser <- if (chance(0.4)) "TwoPointsDE" else {
    optimisers <- CONFIG_ENUMS$nevergrad_algo
    optimisers[seed %% length(optimisers) + 1]
  }
  job
})

fuzz_data <- function(dates, pick, chance) {
  rows <- length(dates)
  scale <- 10^pick(0:6)
  known <- c("tv", "Radio", "search", "social", "OOH", "x1", "affiliate", "Print")
  spends <- paste0(sample(known, pick(1:8, 2:5)), "_S")
  spend <- lapply(spends, function(s) {
    scale * stats::rgamma(rows, pick(0.5, 2, 5)) * (stats::runif(rows) > pick(0, 0.3, 0.8))
  })
  names(spend) <- spends
  exposed <- stats::runif(length(spends)) < 0.4
  seen <- lapply(spend[exposed], function(s) round(s * stats::runif(rows, 5, 15) / scale * 100))
  names(seen) <- sprintf("%s_seen", spends[exposed])
  organic <- c("newsletter", "Blog")[seq_len(pick(0, 1, 1, 2))]
  organics <- lapply(stats::setNames(nm = organic), function(o) stats::rgamma(rows, 2, 1 / 500))
  numbers <- c("price", "competitor")[seq_len(pick(0, 1, 2))]
  context <- lapply(stats::setNames(nm = numbers), function(n) {
    if (chance(0.3)) stats::rnorm(rows) else 50 + cumsum(stats::rnorm(rows))
  })
  factors <- c("events", "weather")[seq_len(pick(0, 0, 1, 2))]
  levels <- list(c("na", "sale"), c("na", "fair", "sale", "strike", "Late"), c("a", "b", "c"))
  grouped <- lapply(stats::setNames(nm = factors), function(f) {
    known <- levels[[pick(seq_along(levels))]]
    c(known, sample(known, rows - length(known), TRUE, rev(seq_along(known))))[sample(rows)]
  })
  effects <- lapply(spend, function(s) sqrt(pmax(s, 0) / scale) * stats::runif(1, 0, 60))
  effect <- Reduce(`+`, effects)
  season <- 80 * sin(2 * pi * as.numeric(dates) / 365.25)
  lift <- if (length(factors)) 60 * (grouped[[1]] == "sale") else 0
  base <- pick(0, 100, 1000)
  slope <- pick(-0.5, 0, 1) * seq_len(rows)
  noise <- stats::rnorm(rows, 0, 25)
  sales <- pmax(base + effect + season + lift + noise + slope, 1) * pick(1, 1000)
  list(
    data = data.frame(
      c(list(DATE = dates, sales = sales), spend, seen, organics, context, grouped),
      check.names = FALSE
    ),
    spends = spends, exposed = exposed, organic = organic, context = c(numbers, factors),
    factors = factors
  )
}

# Experiments within the window: one channel, several, or an organic one; in both scopes; some start
# within a period, some cover one period only.
fuzz_studies <- function(data, made, window, pick, chance) {
  channels <- c(made$spends, made$organic)
  one <- function() {
    several <- length(channels) > 1 && chance(0.3)
    columns <- if (several) sample(channels, 2) else sample(channels, 1)
    from <- pick(window[1]:(window[2] - 8))
    to <- from + pick(0:7)
    step <- as.numeric(data$DATE[2] - data$DATE[1])
    shift <- if (step > 1 && to > from && chance(0.4)) 2 else 0
    spent <- sum(data[from:to, setdiff(columns, made$organic)])
    data.frame(
      channel = paste(columns, collapse = "+"), liftStartDate = format(data$DATE[from] + shift),
      liftEndDate = format(data$DATE[to]), liftAbs = round(sum(data$sales[from:to]) * 0.1) + 1,
      spend = spent, confidence = 0.9, metric = "sales",
      calibration_scope = pick("immediate", "total")
    )
  }
  do.call(rbind, lapply(seq_len(pick(1:4)), function(i) one()))
}

# Ranges within Robyn's limits, now and then fixed, at an edge, or with lambda or train_size; now
# and then nothing but lambda is left to search. Robyn refuses ranges of penalties.
fuzz_ranges <- function(media, adstock, job, chance) {
  limits <- list(
    alphas = c(0.2, 5), gammas = c(0.05, 1), thetas = c(0, 0.9), shapes = c(0, 12),
    scales = c(0, 0.3)
  )
  names <- hyperparameter_names(adstock, media)
  all_fixed <- chance(0.03)
  ranges <- lapply(sub(".*_", "", names), function(kind) {
    range <- signif(sort(stats::runif(2, limits[[kind]][1], limits[[kind]][2])), 3)
    if (chance(0.3)) range <- limits[[kind]]
    if (all_fixed || chance(0.1)) range[1] else range
  })
  ranges <- stats::setNames(ranges, names)
  if (chance(0.2)) ranges$lambda <- if (chance(0.3) && !all_fixed) 0.2 else c(0.05, 0.6)
  if (job$ts_validation && chance(0.7)) {
    ranges$train_size <- if (chance(0.2)) 0.7 else c(0.5, 0.9)
  }
  ranges
}
