# Inputs of engine robyn, by robyn_inputs. Its arguments are checked here first: it silently accepts
# much that it cannot use, and some of its errors do not name the column.

# Names that robyn_inputs and prophet use for columns of their own.
ROBYN_RESERVED <- c("ds", "dep_var", "y", "ds_lower", "ds_upper", "intercept", "solID")

#' Robyn's InputCollect for a job.
#'
#' @param cfg the job's configuration (read_config).
#' @param data read_data's data.frame.
#' @return object of class "robyn_inputs". Errors: mmm_config_error, mmm_data_error, robyn_error.
#' @noRd
robyn_engine_inputs <- function(cfg, data) {
  prepare_robyn()
  window <- model_window(data[[cfg$date_column]], cfg$window_start, cfg$window_end)
  check_variables(data, cfg, window$rows)
  check_robyn_names(cfg)
  check_robyn_config(cfg)
  media <- c(cfg$channel_exposures, cfg$organic)
  variables <- c(cfg$prophet_vars, cfg$context, media)
  hyperparameters <- robyn_hyperparameters(cfg, media, variables)
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
    calibration_input = robyn_lift_tests(cfg, data, window)
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

#' Refuse column names that Robyn would change or confuse with its own.
#' @noRd
check_robyn_names <- function(cfg) {
  refuse <- function(column, why) {
    abort("mmm_data_error", sprintf("Column `%s` %s.", column, why), field = column)
  }
  columns <- used_columns(cfg)
  for (column in columns[columns != make.names(columns)]) {
    refuse(column, paste0(
      "has a name that Robyn cannot use; rename it, for example to `",
      gsub("[.]+", "_", make.names(column)), "`, or use engine builtin"
    ))
  }
  variables <- c(cfg$context, cfg$channel_spends, cfg$channel_exposures, cfg$organic)
  for (column in intersect(variables, c(ROBYN_RESERVED, cfg$prophet_vars))) {
    refuse(column, "has a name that Robyn reserves; rename it")
  }
  variables <- c(cfg$context, cfg$channel_exposures, cfg$organic)
  if (anyDuplicated(variables)) {
    refuse(variables[anyDuplicated(variables)], "is used more than once in the model")
  }
  # prophet_decomp sums every regressor whose name starts with the factor's.
  for (factor in cfg$factors) {
    twins <- setdiff(cfg$factors[startsWith(cfg$factors, factor)], factor)
    if (length(twins)) {
      warning(sprintf(
        "The name of factor `%s` starts that of `%s`; Robyn counts the second effect in both.",
        factor, twins[1]
      ), call. = FALSE)
    }
  }
  invisible(cfg)
}

#' Refuse settings on which Robyn fails late, after prophet or after the first trial.
#' @noRd
check_robyn_config <- function(cfg) {
  refuse <- function(field, ...) abort("mmm_config_error", ..., field = field)
  if (length(cfg$factors) && !length(cfg$prophet_vars)) {
    refuse("factors", paste(
      "`factors` needs `prophet_vars` with engine robyn, because Robyn turns factors into numbers",
      "with prophet. Set `prophet_vars`, or encode the factors as numbers."
    ))
  }
  if ("holiday" %in% cfg$prophet_vars) {
    countries <- unique(robyn_holidays(cfg)$country)
    if (is.null(cfg$prophet_country) || !cfg$prophet_country %in% countries) {
      refuse("prophet_country", sprintf(
        "`prophet_country` is %s, which has no holidays%s; the countries with holidays are %s.",
        show_value(cfg$prophet_country), nearest(cfg$prophet_country %||% "", countries),
        paste(sort(countries), collapse = ", ")
      ))
    }
  }
  if (cfg$frequency == "month" && "weekday" %in% cfg$prophet_vars) {
    refuse("prophet_vars", "`prophet_vars` has weekday, but the data is monthly; remove weekday.")
  }
  if (length(cfg$objective_weights) &&
    length(cfg$objective_weights) != 2 + (NROW(cfg$calibration) > 0)) {
    refuse("objective_weights", sprintf(
      "`objective_weights` has %d numbers; it needs %s.", length(cfg$objective_weights),
      if (NROW(cfg$calibration)) "3 (NRMSE, DECOMP.RSSD, MAPE)" else "2 (NRMSE, DECOMP.RSSD)"
    ))
  }
  invisible(cfg)
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

#' The ranges of the search, within Robyn's limits.
#'
#' Robyn 3.12.1 refuses a range of a penalty factor; robyn_run adds all penalty factors itself.
#' @noRd
robyn_hyperparameters <- function(cfg, media, variables) {
  ranges <- complete_hyperparameters(cfg, media, variables)
  limits <- Robyn::hyper_limits()
  for (name in names(ranges)) {
    kind <- sub("^.*_", "", name)
    if (kind == "penalty") {
      abort("mmm_config_error", sprintf(paste(
        "`hyperparameters.%s`: Robyn takes no range of a penalty factor. With `add_penalty_factor`",
        "it searches all of them from 0 to 1. Remove the range, or use engine builtin."
      ), name), field = paste0("hyperparameters.", name))
    }
    if (!kind %in% names(limits)) next
    allowed <- limits[[kind]]
    bound <- as.numeric(sub("^[<>=]+", "", allowed))
    low <- min(ranges[[name]])
    high <- max(ranges[[name]])
    fits <- (if (startsWith(allowed[1], ">=")) low >= bound[1] else low > bound[1]) &&
      (if (startsWith(allowed[2], "<=")) high <= bound[2] else high < bound[2])
    if (!fits) {
      abort("mmm_config_error", sprintf(
        "`hyperparameters.%s` is %s; Robyn takes values %s and %s.",
        name, show_value(ranges[[name]]), allowed[1], allowed[2]
      ), field = paste0("hyperparameters.", name))
    }
  }
  ranges
}

#' Lift tests for robyn_inputs, which names channels by their spend.
#' @noRd
robyn_lift_tests <- function(cfg, data, window) {
  tests <- lift_tests(cfg, data, window)
  if (is.null(tests)) return(NULL)
  spends <- stats::setNames(cfg$channel_spends, cfg$channel_exposures)
  parts <- strsplit(tests$channel, "[+,;[:space:]]+")
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
