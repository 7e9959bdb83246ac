# Inputs of engine robyn, by robyn_inputs. It silently changes arguments that it cannot use, so its
# result is checked.

#' Robyn's InputCollect for a job.
#'
#' @param cfg the job's configuration (read_config).
#' @param data read_data's data.frame.
#' @return object of class "robyn_inputs". Errors: mmm_data_error, robyn_error.
#' @noRd
robyn_engine_inputs <- function(cfg, data) {
  prepare_robyn()
  window <- model_window(data[[cfg$date_column]], cfg$window_start, cfg$window_end)
  check_variables(data, cfg, window$rows)
  warn_of_factor_names(cfg$factors)
  hyperparameters <- complete_hyperparameters(cfg, c(cfg$channel_exposures, cfg$organic))
  # Only the columns of the model: Robyn checks unused columns too, at a refresh for instance.
  data <- data[used_columns(cfg)]
  first <- ask_robyn("robyn_inputs", Robyn::robyn_inputs(
    dt_input = data, dt_holidays = robyn_holidays(cfg), date_var = cfg$date_column,
    dep_var = cfg$target, dep_var_type = cfg$target_kind,
    prophet_vars = none_as_null(cfg$prophet_vars),
    prophet_signs = none_as_null(cfg$prophet_signs),
    prophet_country = if ("holiday" %in% cfg$prophet_vars) cfg$prophet_country,
    context_vars = none_as_null(cfg$context), context_signs = none_as_null(cfg$context_signs),
    factor_vars = none_as_null(cfg$factors),
    paid_media_spends = cfg$channel_spends, paid_media_vars = cfg$channel_exposures,
    paid_media_signs = cfg$channel_signs,
    organic_vars = none_as_null(cfg$organic), organic_signs = none_as_null(cfg$organic_signs),
    window_start = window$start, window_end = window$end, adstock = cfg$adstock,
    calibration_input = robyn_lift_tests(cfg)
  ), class = "mmm_data_error")
  # In two steps, as in Robyn's demo: only then does it check for columns that are constant in the
  # window.
  inputs <- ask_robyn("robyn_inputs", Robyn::robyn_inputs(
    InputCollect = first, hyperparameters = hyperparameters
  ), class = "mmm_data_error")
  check_robyn_inputs(inputs, cfg, window)
}

#' Settings that Robyn needs in this process and in its children.
#' @noRd
prepare_robyn <- function() {
  # Robyn calls tidyselect in deprecated ways; each call would be a warning of the run.
  options(lifecycle_verbosity = "quiet")
  # Some build systems set it; then R's parallel refuses more than two processes.
  Sys.unsetenv("_R_CHECK_LIMIT_CORES_")
  loaded <- tryCatch(suppressPackageStartupMessages(loadNamespace("Robyn")), error = identity)
  if (inherits(loaded, "error")) {
    abort("robyn_missing_error", "Robyn is installed but cannot be loaded: ",
      conditionMessage(loaded), field = "engine", parent = loaded)
  }
  # Robyn's code in children looks for %dorng% and %dopar% on the search path.
  suppressPackageStartupMessages(attach_once("Robyn"))
  invisible()
}

attach_once <- function(package) {
  if (!paste0("package:", package) %in% search()) attachNamespace(package)
}

#' Evaluate a call of Robyn; its error becomes a classed error that names Robyn's function.
#'
#' @param name function of Robyn, for the message.
#' @param class class of the error.
#' @noRd
ask_robyn <- function(name, code, class = "robyn_error") {
  tryCatch(code, error = function(e) {
    if (inherits(e, "mmm_error")) stop(e)
    abort(class, "Robyn's ", name, ": ", trimws(conditionMessage(e)), parent = e)
  })
}

none_as_null <- function(x) if (length(x)) x else NULL

#' Warn of factors whose effects Robyn mixes up.
#' @noRd
warn_of_factor_names <- function(factors) {
  # prophet_decomp sums every regressor whose name starts with the factor's.
  for (factor in factors) {
    twins <- setdiff(factors[startsWith(factors, factor)], factor)
    if (length(twins)) {
      warning(sprintf(
        "The name of factor `%s` starts that of `%s`; Robyn counts the second effect in both.",
        factor, twins[1]
      ), call. = FALSE)
    }
  }
}

#' Robyn's holidays if they have the job's country and all of its years, else the job's.
#'
#' The two tables differ, so Robyn's table gives the model that Robyn by itself gives.
#' @noRd
robyn_holidays <- function(cfg) {
  # Never NULL: without a table, robyn_inputs drops trend and season too.
  own <- as.data.frame(Robyn::dt_prophet_holidays)
  if (is.null(cfg$holidays_csv)) return(own)
  given <- read_holidays(cfg$holidays_csv)
  known <- own$year[own$country %in% cfg$prophet_country]
  if (length(known) && all(given$year %in% known)) own else given
}

#' Lift tests for robyn_inputs, which names channels by their spend.
#' @noRd
robyn_lift_tests <- function(cfg) {
  tests <- lift_tests(cfg)
  if (is.null(tests)) return(NULL)
  spends <- stats::setNames(cfg$channel_spends, cfg$channel_exposures)
  parts <- strsplit(tests$channel, "+", fixed = TRUE)
  tests$channel <- vapply(parts, function(p) {
    paste(ifelse(p %in% names(spends), spends[p], p), collapse = "+")
  }, "")
  tests$channel_selected <- NULL
  tests
}

#' Check that robyn_inputs has not silently changed its arguments.
#' @noRd
check_robyn_inputs <- function(inputs, cfg, window) {
  expect <- function(what, got, asked) {
    if (!identical(as.character(got), as.character(asked))) {
      abort("robyn_error", sprintf(
        "Robyn changed %s from %s to %s.", what, show_value(asked), show_value(got)
      ))
    }
  }
  expect("the first row of the window", inputs$rollingWindowStartWhich, window$rows[1])
  expect("the last row of the window", inputs$rollingWindowEndWhich, window$rows[2])
  expect("the frequency", inputs$intervalType, cfg$frequency)
  expect("the media", inputs$all_media, c(cfg$channel_exposures, cfg$organic))
  expect("the factors", inputs$factor_vars, cfg$factors)
  if (is.null(inputs$dt_mod) || nrow(inputs$dt_mod) != nrow(inputs$dt_input)) {
    abort("robyn_error", "Robyn's robyn_inputs returned no modelling table.")
  }
  incomplete <- names(Filter(anyNA, inputs$dt_mod))
  if (length(incomplete)) {
    abort("robyn_error", sprintf(
      "Robyn's modelling table has missing values in `%s`.", incomplete[1]
    ), field = incomplete[1])
  }
  inputs
}
