# Random cases for the search: a seed decides data, model and search. See ../fuzz.R.

#' A case: list(data, and the arguments of robyn_job()).
fuzz_case <- function(seed) with_seed(seed, {
  pick <- function(...) sample(c(...), 1)
  chance <- function(p) stats::runif(1) < p
  frequency <- pick("week", "week", "day", "month")
  adstock <- pick("geometric", "weibull_cdf", "weibull_pdf")
  rows <- switch(frequency, week = pick(80:160), day = pick(150:300), month = pick(40:60))
  dates <- seq(as.Date("2019-12-30") + 7 * pick(0:20), by = frequency, length.out = rows)
  if (frequency == "month") {
    dates <- seq(as.Date("2018-01-01"), by = "month", length.out = rows)
  }
  made <- fuzz_data(dates, pick, chance)
  data <- made$data
  paid <- made$spends
  exposures <- ifelse(made$exposed, paste0(paid, "_seen"), paid)
  media <- c(exposures, made$organic)
  signs <- c("positive", "positive", "positive", "default", "negative")
  some_signs <- function(n) if (n) sample(signs, n, replace = TRUE) else character()
  prophet <- c(
    "trend", "season", "holiday", if (frequency == "day") "weekday", if (chance(0.2)) "monthly"
  )
  prophet <- sample(prophet, pick(seq_along(prophet)))
  if (length(made$context) && !length(made$factors) && chance(0.15)) prophet <- character()
  window <- if (chance(0.6)) c(1, rows) else c(pick(2:15), rows - pick(0:6))
  job <- list(
    data = data, adstock = adstock, frequency = frequency, market = pick("DE", "US", "FR"),
    target = "sales", target_kind = pick("revenue", "conversion"),
    window_start = format(dates[window[1]]), window_end = format(dates[window[2]]),
    channel_names = paid, channel_spends = I(paid), channel_exposures = I(exposures),
    channel_signs = I(some_signs(length(paid))), organic = I(made$organic),
    organic_signs = I(some_signs(length(made$organic))), context = I(made$context),
    context_signs = I(sample(c("default", "positive", "negative"), length(made$context), TRUE)),
    factors = I(made$factors), prophet_vars = I(prophet),
    prophet_signs = I(sample(c("default", "positive", "negative"), length(prophet), TRUE)),
    prophet_country = if ("holiday" %in% prophet) pick("DE", "US", "FR"),
    trials = pick(1, 1, 2), iterations = pick(33, 36, 41), seed = pick(0:50000),
    workers = pick(1, 1, 1, 2), ts_validation = chance(0.4), add_penalty_factor = chance(0.25),
    intercept = !chance(0.15), intercept_sign = pick("non_negative", "unconstrained"),
    rssd_zero_penalty = !chance(0.3), min_candidates = 8,
    calibration = if (chance(0.5)) fuzz_studies(data, made, window, pick, chance) else list(),
    outputs = chance(0.1)
  )
  job$hyperparameters <- fuzz_ranges(media, adstock, job, chance)
  job["objective_weights"] <- list(if (chance(0.3)) {
    round(stats::runif(2 + (NROW(job$calibration) > 0), 0, 10), 2)
  })
  job$optimiser <- if (chance(0.6)) "TwoPointsDE" else sample(CONFIG_ENUMS$nevergrad_algo, 1)
  job
})

fuzz_data <- function(dates, pick, chance) {
  rows <- length(dates)
  scale <- 10^pick(0:6)
  spends <- paste0(sample(c("tv", "Radio", "search", "social", "OOH", "x1"), pick(2:5)), "_S")
  spend <- lapply(spends, function(s) {
    scale * stats::rgamma(rows, pick(0.5, 2, 5)) * (stats::runif(rows) > pick(0, 0.3, 0.8))
  })
  names(spend) <- spends
  exposed <- stats::runif(length(spends)) < 0.4
  seen <- lapply(spend[exposed], function(s) round(s * stats::runif(rows, 5, 15) / scale * 100))
  names(seen) <- paste0(spends[exposed], "_seen")
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

# Experiments within the window: one channel, several, or an organic one; in both scopes.
fuzz_studies <- function(data, made, window, pick, chance) {
  channels <- c(made$spends, made$organic)
  one <- function() {
    named <- if (chance(0.25)) paste(sample(made$spends, 2), collapse = "+") else pick(channels)
    from <- pick(window[1]:(window[2] - 8))
    to <- from + pick(2:7)
    columns <- strsplit(named, "+", fixed = TRUE)[[1]]
    spent <- sum(data[from:to, columns])
    shift <- if (data$DATE[2] - data$DATE[1] > 1 && chance(0.4)) 2 else 0
    data.frame(
      channel = named, liftStartDate = format(data$DATE[from] + shift),
      liftEndDate = format(data$DATE[to]), liftAbs = round(sum(data$sales[from:to]) * 0.1) + 1,
      spend = if (all(columns %in% made$organic)) 0 else spent, confidence = 0.9,
      metric = "sales", calibration_scope = pick("immediate", "total")
    )
  }
  do.call(rbind, lapply(seq_len(pick(1:4)), function(i) one()))
}

# Ranges within Robyn's limits, now and then fixed, at an edge, or with lambda and train_size.
fuzz_ranges <- function(media, adstock, job, chance) {
  limits <- list(
    alphas = c(0.2, 5), gammas = c(0.05, 1), thetas = c(0, 0.9), shapes = c(0, 12),
    scales = c(0, 0.3)
  )
  names <- hyperparameter_names(adstock, media)
  ranges <- lapply(sub(".*_", "", names), function(kind) {
    range <- signif(sort(stats::runif(2, limits[[kind]][1], limits[[kind]][2])), 3)
    if (chance(0.3)) range <- limits[[kind]]
    if (chance(0.1)) range[1] else range
  })
  ranges <- stats::setNames(ranges, names)
  if (chance(0.2)) ranges$lambda <- if (chance(0.3)) 0.2 else c(0.05, 0.6)
  if (job$ts_validation && chance(0.7)) {
    ranges$train_size <- if (chance(0.2)) 0.7 else c(0.5, 0.9)
  }
  ranges
}

describe_case <- function(case) {
  paste(c(
    case$frequency, case$adstock, sprintf("%dx%d", case$trials, case$iterations), case$optimiser,
    if (case$workers > 1) "workers", if (NROW(case$calibration)) "calibration",
    if (length(case$factors)) "factors", if (case$ts_validation) "validation",
    if (case$add_penalty_factor) "penalties", if (!case$intercept) "no intercept",
    if (case$outputs) "outputs"
  ), collapse = ", ")
}

#' Search a case twice and compare; with `outputs`, what robyn_outputs makes of both as well.
#'
#' @return character, see differences().
fuzz_run <- function(case) {
  arguments <- case[setdiff(names(case), c("optimiser", "outputs"))]
  cfg <- do.call(robyn_job, arguments)
  cfg$nevergrad_algo <- case$optimiser
  inputs <- fuzz_quietly(robyn_engine_inputs(cfg, read_data(cfg)))
  theirs <- fuzz_quietly(robyn_run_of(inputs, cfg))
  ours <- fuzz_quietly(run_trials(inputs, cfg, memory_log()))
  drawn <- setdiff(names(theirs$trial1$hyperBoundNG), "lambda")
  # With several workers Robyn's order within a batch is that of its processes' clocks.
  skip <- if (cfg$workers > 1) c("convergence", "solID_order")
  found <- differences(ours, theirs, exact = drawn, skip = skip)
  if (length(found) || !case$outputs) return(found)
  reference <- fuzz_quietly(robyn_model_outputs(inputs, theirs, cfg, reference = TRUE))
  fast <- fuzz_quietly(robyn_model_outputs(inputs, ours, cfg, reference = FALSE))
  c(
    if (fast$best_model != reference$best_model) "another model is chosen",
    differences(fast$tables, reference$tables, at = "tables"),
    differences(fast$metrics, reference$metrics, at = "metrics"),
    differences(fast$collect, reference$collect, at = "collect", skip = skip)
  )
}

#' One robyn_run with the settings of a job.
robyn_run_of <- function(inputs, cfg) {
  Robyn::robyn_run(
    inputs, cores = as.numeric(cfg$workers), trials = as.numeric(cfg$trials),
    iterations = as.numeric(cfg$iterations),
    seed = cfg$seed, ts_validation = cfg$ts_validation,
    add_penalty_factor = cfg$add_penalty_factor, intercept = cfg$intercept,
    intercept_sign = cfg$intercept_sign, rssd_zero_penalty = cfg$rssd_zero_penalty,
    objective_weights = cfg$objective_weights, nevergrad_algo = cfg$nevergrad_algo,
    refresh = isTRUE(cfg$refresh)
  )
}

fuzz_quietly <- function(code) {
  utils::capture.output(value <- suppressMessages(suppressWarnings(code)))
  value
}
