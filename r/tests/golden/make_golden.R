# Golden numbers: what Robyn itself computes, kept for machines without Robyn.
#
#   Rscript r/tests/golden/make_golden.R [case ...]        (all cases when none is named)
#
# Needs Robyn 3.12.1 and nevergrad (RETICULATE_PYTHON). Robyn is only called, through its library.
# The data is Robyn's public example data (MIT licence, copyright Meta Platforms, Inc.).
# A case becomes golden/<case>/{setup.json, resultHypParam, xDecompAgg, liftCalibration}.csv.gz;
# tables that cases share become golden/tables/<hash>.csv.gz. read_golden() reads them back
# (testthat/helper-golden.R).

MODELS_WITH_DECOMPOSITION <- 25 # models of trial 1 whose xDecompAgg and liftCalibration are kept
TIMING <- c("Elapsed", "ElapsedAccum")
SETUP_FIELDS <- c(
  "date_var", "dayInterval", "intervalType", "dep_var", "dep_var_type", "prophet_vars",
  "prophet_signs", "prophet_country", "context_vars", "context_signs", "paid_media_vars",
  "paid_media_signs", "paid_media_spends", "paid_media_selected", "exposure_vars", "organic_vars",
  "organic_signs", "all_media", "all_ind_vars", "factor_vars", "window_start",
  "rollingWindowStartWhich", "window_end", "rollingWindowEndWhich", "rollingWindowLength",
  "totalObservations", "refreshAddedStart", "refresh_steps", "refreshCounter", "adstock",
  "hyperparameters", "calibration_input"
)

script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1])
golden_dir <- dirname(normalizePath(script))
source(file.path(golden_dir, "..", "..", "library.R"), chdir = TRUE)
suppressPackageStartupMessages(library(Robyn))

# ---- writing -------------------------------------------------------------------------------

#' Shortest of 15 to 17 significant digits that reads back as the same double.
exact <- function(x) {
  text <- sprintf("%.15g", x)
  for (digits in 16:17) {
    wrong <- !is.na(x) & is.finite(x) & suppressWarnings(as.numeric(text)) != x
    text[wrong] <- sprintf(paste0("%.", digits, "g"), x[wrong])
  }
  text[is.na(x)] <- NA
  text
}

write_table <- function(table, path) {
  table <- as.data.frame(table)
  doubles <- vapply(table, is.double, NA) & !vapply(table, inherits, NA, "Date")
  table[doubles] <- lapply(table[doubles], exact)
  connection <- gzfile(path, "wb", compression = 9)
  on.exit(close(connection))
  utils::write.csv(table, connection, row.names = FALSE, quote = FALSE)
}

#' Write `table` once for all cases that hold it; returns its hash.
write_shared <- function(table) {
  if (is.null(table)) return(NULL)
  table <- as.data.frame(table)
  hash <- substr(digest::digest(table, "sha256"), 1, 12)
  dir.create(file.path(golden_dir, "tables"), showWarnings = FALSE)
  path <- file.path(golden_dir, "tables", paste0(hash, ".csv.gz"))
  if (!file.exists(path)) write_table(table, path)
  list(
    table = hash,
    classes = as.list(vapply(table, function(x) class(x)[1], "")),
    levels = lapply(Filter(is.factor, table), levels)
  )
}

write_golden <- function(case, inputs, run, models) {
  dir <- file.path(golden_dir, case)
  unlink(dir, recursive = TRUE)
  dir.create(dir)
  # With every hyperparameter fixed robyn_run returns OutputCollect, the models inside it.
  trials <- if (is.null(models$OutputModels)) models else models$OutputModels
  trials <- trials[grepl("^trial[0-9]+$", names(trials))]
  collect <- lapply(trials, `[[`, "resultCollect")
  hyper <- do.call(rbind, lapply(collect, function(x) as.data.frame(x$resultHypParam)))
  write_table(hyper[setdiff(names(hyper), TIMING)], file.path(dir, "resultHypParam.csv.gz"))
  kept <- utils::head(unique(collect[[1]]$xDecompAgg$solID), MODELS_WITH_DECOMPOSITION)
  decomposition <- collect[[1]]$xDecompAgg
  write_table(
    decomposition[decomposition$solID %in% kept, ], file.path(dir, "xDecompAgg.csv.gz")
  )
  lift <- collect[[1]]$liftCalibration
  if (!is.null(lift)) {
    write_table(lift[lift$solID %in% kept, ], file.path(dir, "liftCalibration.csv.gz"))
  }
  write_setup(dir, inputs, run, list(
    hyper_bound_ng = names(trials[[1]]$hyperBoundNG),
    hyper_bound_fixed = trials[[1]]$hyperBoundFixed,
    hyper_updated = models$hyper_updated,
    conv_msg = models$convergence$conv_msg,
    classes = list(
      resultHypParam = lapply(hyper, function(x) class(x)[1]),
      xDecompAgg = lapply(decomposition, function(x) class(x)[1])
    )
  ))
}

#' setup.json: versions, the run's arguments, its inputs, and `more`.
write_setup <- function(dir, inputs, run, more) {
  setup <- c(list(
    versions = list(
      Robyn = as.character(utils::packageVersion("Robyn")),
      R = paste(R.version$major, R.version$minor, sep = "."),
      glmnet = as.character(utils::packageVersion("glmnet")),
      nevergrad = reticulate::import("nevergrad")[["__version__"]],
      numpy = reticulate::import("numpy")[["__version__"]]
    ),
    run = run[setdiff(names(run), "quiet")],
    inputs = inputs[intersect(SETUP_FIELDS, names(inputs))],
    dt_input = write_shared(inputs$dt_input),
    dt_mod = write_shared(inputs$dt_mod),
    xDecompAggPrev = write_shared(inputs$xDecompAggPrev[c("rn", "solID", "xDecompPerc")])
  ), more)
  json <- jsonlite::toJSON(
    setup, auto_unbox = TRUE, digits = NA, null = "null", na = "null", pretty = TRUE
  )
  writeLines(json, file.path(dir, "setup.json"))
}

# ---- inputs --------------------------------------------------------------------------------

MEDIA <- c("tv_S", "ooh_S", "print_S", "facebook_I", "search_clicks_P")

ranges <- function(media, adstock) {
  low_high <- if (adstock == "geometric") {
    list(alphas = c(0.5, 3), gammas = c(0.3, 1), thetas = c(0, 0.5))
  } else if (adstock == "weibull_cdf") {
    list(alphas = c(0.5, 3), gammas = c(0.3, 1), shapes = c(0, 2), scales = c(0, 0.1))
  } else {
    list(alphas = c(0.5, 3), gammas = c(0.3, 1), shapes = c(0, 10), scales = c(0, 0.1))
  }
  named <- lapply(media, function(m) stats::setNames(low_high, paste0(m, "_", names(low_high))))
  c(do.call(c, named), list(train_size = c(0.5, 0.8)))
}

#' robyn_inputs of the example data, with some arguments replaced (NULL takes one away).
example_inputs <- function(..., adstock = "geometric", fixed = list(), data = NULL) {
  if (is.null(data)) data <- Robyn::dt_simulated_weekly
  arguments <- list(
    dt_input = data, dt_holidays = Robyn::dt_prophet_holidays, date_var = "DATE",
    dep_var = "revenue", dep_var_type = "revenue",
    prophet_vars = c("trend", "season", "holiday"), prophet_country = "DE",
    context_vars = c("competitor_sales_B", "events"), factor_vars = "events",
    paid_media_spends = c("tv_S", "ooh_S", "print_S", "facebook_S", "search_S"),
    paid_media_vars = MEDIA, organic_vars = "newsletter",
    window_start = "2016-01-01", window_end = "2018-12-31", adstock = adstock
  )
  changed <- list(...)
  arguments[names(changed)] <- changed
  media <- c(arguments$paid_media_vars, arguments$organic_vars)
  inputs <- do.call(Robyn::robyn_inputs, arguments)
  hyperparameters <- utils::modifyList(ranges(media, adstock), fixed)
  Robyn::robyn_inputs(InputCollect = inputs, hyperparameters = hyperparameters)
}

lift_studies <- function(scope) {
  spend <- function(column, from, to) {
    data <- Robyn::dt_simulated_weekly
    sum(data[[column]][data$DATE >= as.Date(from) & data$DATE <= as.Date(to)])
  }
  data.frame(
    channel = c("facebook_S", "tv_S", "facebook_S+search_S", "newsletter"),
    liftStartDate = as.Date(c("2018-05-01", "2018-04-03", "2018-07-01", "2017-12-01")),
    liftEndDate = as.Date(c("2018-06-10", "2018-06-03", "2018-07-20", "2017-12-31")),
    liftAbs = c(400000, 300000, 700000, 200000),
    spend = c(
      spend("facebook_S", "2018-05-01", "2018-06-10"), spend("tv_S", "2018-04-03", "2018-06-03"),
      spend("facebook_S", "2018-07-01", "2018-07-20") +
        spend("search_S", "2018-07-01", "2018-07-20"), 0
    ),
    confidence = c(0.85, 0.8, 0.99, 0.95), metric = "revenue", calibration_scope = scope
  )
}

LEVEL <- c("competitor_sales_B", "events", "level")

high_level <- function() {
  data <- as.data.frame(Robyn::dt_simulated_weekly)
  data$level <- data$revenue + 40 * mean(data$revenue)
  data
}

signed_inputs <- function() {
  example_inputs(
    prophet_signs = c("positive", "default", "negative"),
    context_signs = c("negative", "positive"),
    paid_media_signs = c("positive", "default", "negative", "positive", "default"),
    organic_signs = "negative"
  )
}

#' The inputs of a refresh four weeks later, as robyn_refresh makes them.
refreshed_inputs <- function() {
  inputs <- example_inputs()
  before <- Robyn::robyn_run(inputs, cores = 1, iterations = 20, trials = 1, seed = 7L)
  decomposition <- before$trial1$resultCollect$xDecompAgg
  inputs$xDecompAggPrev <- decomposition[decomposition$solID == "1_20_1", ]
  inputs$refresh_steps <- 4L
  inputs$refreshCounter <- 1L
  inputs$refreshAddedStart <- as.Date(inputs$window_end) + 7L
  inputs$window_start <- as.Date(inputs$window_start) + 28L
  inputs$window_end <- as.Date(inputs$window_end) + 28L
  inputs$rollingWindowStartWhich <- inputs$rollingWindowStartWhich + 4L
  inputs$rollingWindowEndWhich <- inputs$rollingWindowEndWhich + 4L
  inputs$dt_modRollWind <-
    inputs$dt_mod[inputs$rollingWindowStartWhich:inputs$rollingWindowEndWhich, ]
  inputs
}

#' robyn_inputs of a generated market of ../../../examples, changed by `change(data, ...)`.
generated_inputs <- function(file, country, change, ..., adstock = "geometric", weekday = FALSE,
                             context_vars = c("COMPETITOR_SALES", "EVENTS"),
                             factor_vars = "EVENTS", studies = FALSE) {
  data <- utils::read.csv(file.path(golden_dir, "..", "..", "..", "examples", "data", file))
  data$DATE <- as.Date(data$DATE)
  data <- change(data, ...)
  media <- c("TV_GRP", "SEARCH_CLICKS", "SOCIAL_IMPRESSIONS", "RADIO_COST")
  spends <- c("TV_COST", "SEARCH_COST", "SOCIAL_COST", "RADIO_COST")
  tests <- if (studies) {
    within <- function(columns, rows) sum(data[rows, columns])
    data.frame(
      channel = c("TV_COST", "SEARCH_COST+SOCIAL_COST", "NEWSLETTER"),
      liftStartDate = data$DATE[c(60, 80, 100)] + c(0, 2, 0),
      liftEndDate = data$DATE[c(64, 83, 103)],
      liftAbs = c(3e5, 2e5, 1e5),
      spend = c(within("TV_COST", 60:64), within(spends[2:3], 80:83), 0), confidence = 0.9,
      metric = "REVENUE", calibration_scope = c("immediate", "immediate", "total")
    )
  }
  inputs <- Robyn::robyn_inputs(
    dt_input = data[c("DATE", "REVENUE", spends, media[1:3], "NEWSLETTER", context_vars)],
    dt_holidays = Robyn::dt_prophet_holidays, date_var = "DATE", dep_var = "REVENUE",
    dep_var_type = "revenue", prophet_country = country,
    prophet_vars = c("trend", "season", if (weekday) "weekday", "holiday"),
    context_vars = context_vars, factor_vars = factor_vars, paid_media_spends = spends,
    paid_media_vars = media, organic_vars = "NEWSLETTER", adstock = adstock,
    window_start = data$DATE[5], window_end = utils::tail(data$DATE, 1), calibration_input = tests
  )
  hyperparameters <- ranges(c(media, "NEWSLETTER"), adstock)
  Robyn::robyn_inputs(InputCollect = inputs, hyperparameters = hyperparameters)
}

by_month <- function(data) {
  month <- as.Date(format(data$DATE, "%Y-%m-01"))
  numbers <- setdiff(names(data), c("DATE", "EVENTS"))
  months <- stats::aggregate(data[numbers], list(DATE = month), sum)
  events <- tapply(data$EVENTS != "no_event", month, any)
  months$EVENTS <- ifelse(events[as.character(months$DATE)], "event", "no_event")
  months
}

# ---- cases: function of nothing -> list(inputs, run) ---------------------------------------

case <- function(inputs, ...) {
  defaults <- list(
    seed = 123L, cores = 1L, trials = 1L, iterations = 100L, nevergrad_algo = "TwoPointsDE",
    ts_validation = FALSE, add_penalty_factor = FALSE, intercept = TRUE,
    intercept_sign = "non_negative", rssd_zero_penalty = TRUE, objective_weights = NULL,
    refresh = FALSE
  )
  changed <- list(...)
  defaults[names(changed)] <- changed
  list(inputs = inputs, run = defaults)
}

CASES <- list(
  geometric = function() case(example_inputs(), iterations = 150L, trials = 2L),
  weibull_cdf = function() case(example_inputs(adstock = "weibull_cdf"), iterations = 60L),
  weibull_pdf = function() case(example_inputs(adstock = "weibull_pdf"), iterations = 60L),
  ts_validation = function() case(example_inputs(), ts_validation = TRUE),
  add_penalty_factor = function() case(example_inputs(), add_penalty_factor = TRUE, trials = 2L),
  intercept_false = function() case(example_inputs(), intercept = FALSE),
  # A level far above zero that goes with revenue drives the intercept of some models below zero.
  intercept_negative = function() case(example_inputs(data = high_level(), context_vars = LEVEL)),
  intercept_unconstrained = function() {
    case(
      example_inputs(data = high_level(), context_vars = LEVEL), intercept_sign = "unconstrained"
    )
  },
  signs = function() case(signed_inputs()),
  # Negative signs give channels without effect, which is what the penalty is about.
  rssd_zero_penalty_false = function() case(signed_inputs(), rssd_zero_penalty = FALSE),
  # Robyn's search takes factors only as the numbers that prophet makes of them.
  factors = function() {
    data <- as.data.frame(Robyn::dt_simulated_weekly)
    data$quarter <- quarters(data$DATE)
    data$half <- ifelse(as.POSIXlt(data$DATE)$mon < 6, "first", "second")
    case(example_inputs(
      data = data,
      context_vars = c("competitor_sales_B", "events", "quarter", "half"),
      context_signs = c("default", "default", "positive", "negative"),
      factor_vars = c("events", "quarter", "half")
    ))
  },
  spends_only = function() {
    case(example_inputs(
      paid_media_vars = c("tv_S", "ooh_S", "print_S", "facebook_S", "search_S"),
      organic_vars = NULL, prophet_vars = c("trend", "season"), prophet_country = NULL
    ))
  },
  calibration_immediate = function() {
    case(example_inputs(calibration_input = lift_studies("immediate")))
  },
  calibration_total = function() {
    case(
      example_inputs(calibration_input = lift_studies("total")),
      objective_weights = c(1, 2, 0.5), trials = 2L
    )
  },
  calibration_weibull = function() {
    studies <- lift_studies(c("immediate", "total", "total", "immediate"))
    case(
      example_inputs(calibration_input = studies, adstock = "weibull_pdf"),
      iterations = 60L, ts_validation = TRUE
    )
  },
  prophet_none = function() {
    data <- as.data.frame(Robyn::dt_simulated_weekly)
    data$promotion <- as.numeric(data$events != "na")
    case(example_inputs(
      data = data, prophet_vars = NULL, prophet_country = NULL, factor_vars = NULL,
      context_vars = c("competitor_sales_B", "promotion")
    ))
  },
  objective_weights = function() {
    case(example_inputs(), objective_weights = c(0.2, 3), iterations = 150L)
  },
  hyperparameters_partly_fixed = function() {
    fixed <- list(tv_S_thetas = 0.4, facebook_I_alphas = 1.2, newsletter_gammas = 0.7)
    case(example_inputs(fixed = fixed), cores = 2L)
  },
  hyperparameters_fixed = function() {
    inputs <- example_inputs()
    models <- Robyn::robyn_run(inputs, cores = 1, iterations = 10, trials = 1, seed = 5L)
    model <- models$trial1$resultCollect$resultHypParam[10, ]
    names <- c(names(models$hyper_updated), "lambda")
    case(inputs, dt_hyper_fixed = as.list(model[unique(names)]))
  },
  refresh = function() case(refreshed_inputs(), refresh = TRUE),
  refresh_calibrated = function() {
    inputs <- refreshed_inputs()
    inputs$calibration_input <- example_inputs(
      calibration_input = lift_studies("immediate")
    )$calibration_input
    case(inputs, refresh = TRUE, iterations = 60L)
  },
  generated_days = function() {
    case(
      generated_inputs("nl_daily.csv", "NL", utils::tail, 300, weekday = TRUE), iterations = 60L
    )
  },
  generated_months = function() {
    case(generated_inputs("nl_daily.csv", "NL", by_month), iterations = 60L)
  },
  # Weibull, calibration and factors together, and all that can be added to them.
  generated_weeks = function() {
    inputs <- generated_inputs(
      "de_weekly.csv", "DE", function(data) {
        data$SEASON <- quarters(data$DATE)
        data
      },
      adstock = "weibull_pdf", context_vars = c("COMPETITOR_SALES", "EVENTS", "SEASON"),
      factor_vars = c("EVENTS", "SEASON"), studies = TRUE
    )
    case(
      inputs, cores = 2L, iterations = 60L, ts_validation = TRUE, add_penalty_factor = TRUE,
      objective_weights = c(1, 0.5, 2), intercept_sign = "unconstrained", seed = 77L
    )
  },
  lhs_de = function() case(example_inputs(), nevergrad_algo = "LhsDE", iterations = 60L),
  de = function() case(example_inputs(), nevergrad_algo = "DE"),
  cores_2 = function() case(example_inputs(), cores = 2L, iterations = 101L)
)

make <- function(name) {
  made <- CASES[[name]]()
  arguments <- c(list(InputCollect = made$inputs), made$run)
  if (!is.null(made$run$dt_hyper_fixed)) arguments$export <- FALSE
  utils::capture.output(models <- do.call(Robyn::robyn_run, arguments)) # its progress bar
  write_golden(name, made$inputs, made$run, models)
}

# ---- every optimiser on one small market: what it draws, and how its models fit ----------------

# Those of nevergrad that robyn_run can use: it tells them weights of the objectives.
OPTIMISERS <- c(
  "TwoPointsDE", "DE", "AlmostRotationInvariantDE", "AlmostRotationInvariantDEAndBigPop",
  "BPRotationInvariantDE", "DiscreteDE", "HSDE", "LPSDE", "LQODE", "LQOTPDE", "LhsDE", "LhsHSDE",
  "MiniDE", "MiniLhsDE", "MiniQrDE", "NoisyDE", "OnePointDE", "ParametrizationDE", "QODE",
  "QOTPDE", "QrDE", "RotatedTwoPointsDE", "RotationInvariantDE", "SODE", "SPQODE", "VoronoiDE"
)

make_optimisers <- function() {
  dir <- file.path(golden_dir, "optimisers")
  unlink(dir, recursive = TRUE)
  dir.create(dir)
  data <- utils::read.csv(
    file.path(golden_dir, "..", "..", "..", "examples", "data", "de_weekly.csv")
  )
  data <- utils::tail(data[c("DATE", "REVENUE", "TV_COST", "SEARCH_COST")], 80)
  data$DATE <- as.Date(data$DATE)
  media <- c("TV_COST", "SEARCH_COST")
  inputs <- Robyn::robyn_inputs(
    dt_input = data, dt_holidays = Robyn::dt_prophet_holidays, date_var = "DATE",
    dep_var = "REVENUE", dep_var_type = "revenue", prophet_vars = c("trend", "season"),
    paid_media_spends = media, paid_media_vars = media, adstock = "geometric",
    window_start = data$DATE[1], window_end = data$DATE[80]
  )
  inputs <- Robyn::robyn_inputs(InputCollect = inputs, hyperparameters = ranges(media, "geometric"))
  # More than the greatest population of any of them, 7 a dimension: none is left at its start.
  run <- case(inputs, iterations = 60L)$run
  tables <- lapply(OPTIMISERS, function(name) {
    message("   ", name)
    run$nevergrad_algo <- name
    utils::capture.output(models <- do.call(Robyn::robyn_run, c(list(InputCollect = inputs), run)))
    drawn <- names(models$trial1$hyperBoundNG)
    table <- as.data.frame(models$trial1$resultCollect$resultHypParam)
    cbind(nevergrad_algo = name, table[c(sub("^lambda$", "lambda_hp", drawn), "nrmse")])
  })
  write_table(do.call(rbind, tables), file.path(dir, "resultHypParam.csv.gz"))
  write_setup(dir, inputs, run, NULL)
}

known <- c(names(CASES), "optimisers")
wanted <- commandArgs(trailingOnly = TRUE)
unknown <- setdiff(wanted, known)
if (length(unknown)) stop("unknown case: ", unknown[1], "; cases are ", toString(known))
for (name in if (length(wanted)) wanted else known) {
  message("== ", name)
  if (name == "optimisers") make_optimisers() else make(name)
}
