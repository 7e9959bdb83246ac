# What the tests of the outputs share.

#' A complete configuration, as read_config() gives it, with some fields replaced.
job_config <- function(...) {
  cfg <- list(
    run_id = "20260101T000000Z-00000000", progress_file = NULL, market = "DE",
    revision = "r1", engine = "builtin", search = "fast", date_column = "DATE",
    frequency = "week", target = "revenue", target_kind = "revenue", window_start = NULL,
    window_end = NULL, holidays_csv = NULL,
    channel_names = c("tv", "search"), channel_spends = c("tv_spend", "search_spend"),
    channel_exposures = c("tv_spend", "clicks"), channel_signs = rep("positive", 2),
    organic = "newsletter", organic_signs = "positive", context = c("price", "promotion"),
    context_signs = rep("default", 2), factors = "promotion", adstock = "geometric",
    trials = 2L, iterations = 60L, max_iterations = NULL, seed = 7L, cores = 1L, workers = 1L,
    trials_todo = 1:2, merge = TRUE, hyperparameters = list(), prophet_vars = c("trend", "season"),
    prophet_signs = rep("default", 2), prophet_country = NULL, ts_validation = FALSE,
    add_penalty_factor = FALSE, intercept = TRUE, intercept_sign = "non_negative",
    rssd_zero_penalty = TRUE, objective_weights = NULL, nevergrad_algo = "TwoPointsDE",
    pareto_fronts = "auto", min_candidates = 30L, calibration_constraint = 0.1,
    calibration = list(), allocator_scenarios = list(
      list(scenario = "max_response"),
      list(scenario = "target_efficiency", channel_low = 0.1, channel_high = 10)
    ),
    onepagers = 2, include_data = FALSE, intervals_method = "cluster", intervals_level = 0.95,
    intervals_draws = 500L, intervals_block = NULL,
    work_dir = tempdir(), output_dir = tempfile("output-"), python = "python3"
  )
  changed <- list(...)
  cfg[names(changed)] <- changed
  cfg
}

#' A market with a known truth: 156 weeks, two channels, an organic variable, a price, promotions.
simulated_market <- function(seed = 1, weeks = 156) {
  with_seed(seed, {
    week <- seq_len(weeks)
    tv <- pmax(0, stats::rnorm(weeks, 40, 25)) * stats::rbinom(weeks, 1, 0.6)
    search <- stats::runif(weeks, 10, 30)
    newsletter <- stats::runif(weeks, 0, 50)
    price <- stats::rnorm(weeks, 10, 1)
    promotion <- ifelse(week %% 13 == 0, "sale", ifelse(week %% 29 == 0, "fair", "none"))
    effect <- function(x, theta, alpha, gamma, size) {
      carried <- geometric_adstock(x, theta)
      size * hill_saturation(carried, alpha, gamma * max(carried))
    }
    tv_effect <- effect(tv, 0.5, 1.5, 0.5, 300)
    search_effect <- effect(search, 0.1, 1, 0.5, 200)
    revenue <- 1000 + 60 * sin(2 * pi * week / 52.18) + 0.5 * week + tv_effect + search_effect +
      effect(newsletter, 0.2, 1, 0.5, 80) - 20 * (price - 10) + 150 * (promotion == "sale") +
      80 * (promotion == "fair") + stats::rnorm(weeks, 0, 12)
    list(
      data = data.frame(
        DATE = as.Date("2021-01-04") + 7 * (week - 1), revenue, tv_spend = tv,
        search_spend = search, clicks = search * 3, newsletter, price, promotion
      ),
      contributions = c(tv = sum(tv_effect), search = sum(search_effect)),
      total = sum(revenue)
    )
  })
}

#' Inputs, models and outputs of the simulated market; made once for all tests.
made_market <- local({
  made <- NULL
  function() {
    if (is.null(made)) {
      cfg <- job_config(work_dir = tempfile("work-"), iterations = 1500L)
      dir.create(cfg$output_dir)
      inputs <- builtin_inputs(cfg, simulated_market()$data)
      models <- run_trials(inputs, cfg, progress_log(NULL))
      made <<- list(
        cfg = cfg, inputs = inputs, models = models, outputs = model_outputs(inputs, models, cfg)
      )
    }
    made
  }
})

#' Our outputs of a golden case, and Robyn's of the same models.
made_golden <- local({
  kept <- list()
  function(case, target_kind = "revenue") {
    if (is.null(kept[[case]])) {
      golden <- read_golden(case)
      inputs <- golden$inputs
      inputs$dep_var_type <- target_kind
      class(inputs) <- c("mmm_inputs", "list")
      search <- search_cfg(golden$run)
      search$work_dir <- tempfile("work-")
      models <- run_trials(inputs, search, progress_log(NULL))
      cfg <- job_config(
        channel_names = inputs$paid_media_selected, target_kind = target_kind,
        channel_exposures = inputs$paid_media_selected,
        ts_validation = isTRUE(search$ts_validation)
      )
      tables <- c("models", "media", "by_date", "allocation")
      kept[[case]] <<- list(
        ours = model_outputs(inputs, models, cfg), inputs = inputs,
        robyn = lapply(stats::setNames(nm = tables), function(table) {
          read_golden_csv(golden_path("outputs", case, paste0(table, ".csv.gz")))
        })
      )
    }
    kept[[case]]
  }
})

#' Cases of golden/outputs and the kind of target that they have.
OUTPUT_CASES <- c(
  geometric = "revenue", weibull_pdf = "revenue", ts_validation = "revenue", de = "conversion"
)

#' Largest difference relative to Robyn's value; missing ones must coincide.
expect_near <- function(ours, robyn, info, tolerance = 1e-9) {
  testthat::expect_identical(is.na(ours), is.na(robyn), info = info)
  kept <- is.finite(robyn)
  if (!any(kept)) return(invisible())
  scale <- pmax(abs(robyn[kept]), 1e-9 * max(abs(robyn[kept])), 1e-300)
  testthat::expect_lte(max(abs(ours[kept] - robyn[kept]) / scale), tolerance, label = info)
}
