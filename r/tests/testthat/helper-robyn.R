# What the tests that ask Robyn itself share: its example data as a job of ours.

skip_without_robyn <- function() {
  testthat::skip_if_not(
    nzchar(system.file(package = "Robyn")), "Robyn is not installed in R's library path"
  )
}

skip_without_robyn_search <- function() {
  skip_without_robyn()
  testthat::skip_if_not(nevergrad_here(), "nevergrad is not importable (RETICULATE_PYTHON)")
}

#' How far the modelling table may be from the golden runs, which are of R 4.2: with the rstan of a
#' newer R, prophet differs in the fifth digit.
golden_tolerance <- function() if (getRversion() < "4.3") 1e-9 else 1e-4

#' A job's configuration on Robyn's example data, as read_config() returns it.
#'
#' @param ... fields that differ. @param data data.frame instead of the example. @param env frame
#'   at whose end the job's folders go.
robyn_job <- function(..., data = Robyn::dt_simulated_weekly, adstock = "geometric",
                      env = parent.frame()) {
  folder <- withr::local_tempdir("job-", .local_envir = env)
  for (name in c("out", "work")) dir.create(file.path(folder, name))
  csv <- file.path(folder, "data.csv")
  data.table::fwrite(as.data.frame(data), csv)
  media <- c("tv_S", "ooh_S", "print_S", "facebook_I", "search_clicks_P")
  cfg <- job_config(
    run_id = "20240101T000000Z-00000000", market = "DE", revision = "r1", engine = "robyn",
    search = "fast", data_csv = csv, output_dir = file.path(folder, "out"),
    work_dir = file.path(folder, "work"), result_file = file.path(folder, "result.json"),
    date_column = "DATE", frequency = "week", window_start = "2016-01-01",
    window_end = "2018-12-31", target = "revenue", target_kind = "revenue",
    channel_names = c("tv", "ooh", "print", "facebook", "search"),
    channel_spends = c("tv_S", "ooh_S", "print_S", "facebook_S", "search_S"),
    channel_exposures = media, channel_signs = rep("positive", 5), organic = I("newsletter"),
    organic_signs = I("positive"), context = c("competitor_sales_B", "events"),
    context_signs = c("default", "default"), factors = I("events"), adstock = adstock,
    trials = 1, iterations = 60, seed = 123, cores = 1, workers = 1,
    prophet_vars = c("trend", "season", "holiday"), prophet_signs = rep("default", 3),
    prophet_country = "DE", hyperparameters = NULL, min_candidates = 20, onepagers = 1,
    allocator_scenarios = list(list(scenario = "max_response")),
    python = Sys.getenv("RETICULATE_PYTHON", "python3")
  )
  changed <- list(...)
  cfg[names(changed)] <- changed
  if (!"trials_todo" %in% names(changed)) cfg$trials_todo <- I(seq_len(cfg$trials))
  if (is.null(cfg$hyperparameters)) {
    cfg$hyperparameters <- example_ranges(c(cfg$channel_exposures, cfg$organic), adstock)
  }
  path <- file.path(folder, "job.json")
  writeLines(jsonlite::toJSON(cfg, auto_unbox = TRUE, digits = NA, null = "null"), path)
  read_config(path)
}

example_ranges <- function(media, adstock) {
  ranges <- switch(adstock,
    geometric = list(alphas = c(0.5, 3), gammas = c(0.3, 1), thetas = c(0, 0.5)),
    weibull_cdf =
      list(alphas = c(0.5, 3), gammas = c(0.3, 1), shapes = c(0, 2), scales = c(0, 0.1)),
    weibull_pdf =
      list(alphas = c(0.5, 3), gammas = c(0.3, 1), shapes = c(0, 9), scales = c(0, 0.1))
  )
  named <- lapply(media, function(m) stats::setNames(ranges, paste0(m, "_", names(ranges))))
  do.call(c, named)
}

lift_studies <- function(scope = c("immediate", "total")) {
  data.frame(
    channel = c("facebook_S", "tv_S"), liftStartDate = c("2018-05-01", "2018-04-03"),
    liftEndDate = c("2018-06-10", "2018-06-03"), liftAbs = c(400000, 300000),
    spend = c(421, 7100), confidence = c(0.85, 0.8), metric = "revenue", calibration_scope = scope
  )
}

#' What `make()` returns, made once for all tests: prophet takes seconds.
remembered <- new.env()
remember <- function(name, make) {
  if (is.null(remembered[[name]])) assign(name, quietly(make()), envir = remembered)
  remembered[[name]]
}

example_inputs <- function() {
  remember("inputs", function() {
    cfg <- robyn_job()
    robyn_engine_inputs(cfg, read_data(cfg))
  })
}

#' Without Robyn's messages, progress bars and advice to take more iterations.
quietly <- function(code) {
  utils::capture.output(value <- suppressMessages(withCallingHandlers(code, warning = function(w) {
    known <- paste0(
      "We recommend|Provided train_size|calibration|Too (few|many) clusters|",
      "does not contain enough|NaNs produced"
    )
    if (grepl(known, conditionMessage(w))) invokeRestart("muffleWarning")
  })))
  value
}
