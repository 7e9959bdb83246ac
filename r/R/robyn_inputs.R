# Inputs of engine robyn: Robyn's own robyn_inputs, asked with what has been checked here first,
# because what it cannot use it often takes in silence, or refuses without naming the column.

# Names that robyn_inputs and prophet give to columns of their own.
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
  # Only the columns of the model: Robyn judges unused ones too, at a refresh for instance.
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
  # In two steps, as Robyn's own demo: only so it looks for columns that are constant in the window.
  inputs <- ask_robyn("robyn_inputs", Robyn::robyn_inputs(
    InputCollect = first, hyperparameters = hyperparameters
  ), class = "mmm_data_error")
  check_robyn_inputs(inputs, cfg, window)
}

#' Settings that Robyn needs in this process and in its children.
#' @noRd
prepare_robyn <- function() {
  # Robyn's tidyselect calls are deprecated ones; each would be a warning of the run.
  options(lifecycle_verbosity = "quiet")
  # Set by some build systems; makes R's parallel refuse more than two processes.
  Sys.unsetenv("_R_CHECK_LIMIT_CORES_")
  loaded <- tryCatch(suppressPackageStartupMessages(loadNamespace("Robyn")), error = identity)
  if (inherits(loaded, "error")) {
    abort("robyn_missing_error", "Robyn is installed but cannot be loaded: ",
      conditionMessage(loaded), field = "engine", parent = loaded)
  }
  # %dorng% and %dopar% are looked up on the search path by the code that Robyn runs in children.
  suppressPackageStartupMessages(attach_once("Robyn"))
  invisible()
}

attach_once <- function(package) {
  if (!paste0("package:", package) %in% search()) attachNamespace(package)
}

#' Evaluate a call of Robyn; its error becomes one of ours that says which function failed.
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

#' Column names that Robyn would change or confuse with its own.
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
    refuse(column, "has a name that Robyn uses itself; rename it")
  }
  variables <- c(cfg$context, cfg$channel_exposures, cfg$organic)
  if (anyDuplicated(variables)) {
    refuse(variables[anyDuplicated(variables)], "is used more than once in the model")
  }
  # prophet_decomp adds up every regressor whose name begins with the factor's.
  for (factor in cfg$factors) {
    twins <- setdiff(cfg$factors[startsWith(cfg$factors, factor)], factor)
    if (length(twins)) {
      warning(sprintf(
        "The factor `%s` begins the name of `%s`; Robyn counts the latter's effect in both.",
        factor, twins[1]
      ), call. = FALSE)
    }
  }
  invisible(cfg)
}

#' Settings that Robyn would fail on late, after prophet or after the first trial.
#' @noRd
check_robyn_config <- function(cfg) {
  refuse <- function(field, ...) abort("mmm_config_error", ..., field = field)
  if (length(cfg$factors) && !length(cfg$prophet_vars)) {
    refuse("factors", paste(
      "`factors` needs `prophet_vars` with engine robyn: Robyn turns factors into numbers with",
      "prophet. Set prophet_vars, or encode the factors as numbers."
    ))
  }
  if ("holiday" %in% cfg$prophet_vars) {
    countries <- unique(robyn_holidays(cfg)$country)
    if (is.null(cfg$prophet_country) || !cfg$prophet_country %in% countries) {
      refuse("prophet_country", sprintf(
        "`prophet_country` is %s, for which there are no holidays%s; known are %s.",
        show_value(cfg$prophet_country), nearest(cfg$prophet_country %||% "", countries),
        paste(sort(countries), collapse = ", ")
      ))
    }
  }
  if (cfg$frequency == "month" && "weekday" %in% cfg$prophet_vars) {
    refuse("prophet_vars", "`prophet_vars` has weekday, which monthly data cannot show.")
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

#' Robyn's own holidays where they have the job's country in all of its years, else the job's.
#'
#' Whoever ran Robyn before gets the same model: the two tables do not name the same days.
#' @noRd
robyn_holidays <- function(cfg) {
  # Never NULL: without a table robyn_inputs drops trend and season as well.
  own <- as.data.frame(Robyn::dt_prophet_holidays)
  if (is.null(cfg$holidays_csv)) return(own)
  given <- read_holidays(cfg$holidays_csv)
  known <- own$year[own$country %in% cfg$prophet_country]
  if (length(known) && all(given$year %in% known)) own else given
}

#' Hyperparameters within Robyn's limits.
#'
#' Robyn 3.12.1 refuses the range of any penalty factor; robyn_run adds all of them by itself.
#' @noRd
robyn_hyperparameters <- function(cfg, media, variables) {
  ranges <- complete_hyperparameters(cfg, media, variables)
  limits <- Robyn::hyper_limits()
  for (name in names(ranges)) {
    kind <- sub("^.*_", "", name)
    if (kind == "penalty") {
      abort("mmm_config_error", sprintf(paste(
        "`hyperparameters.%s`: Robyn takes no range of a penalty factor, it searches all of them",
        "from 0 to 1 with `add_penalty_factor`; leave it out, or take engine builtin."
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

#' Lift tests as robyn_inputs takes them: channels by the name of their spend.
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

#' What robyn_inputs may have changed without an error must be as it was asked for.
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
    abort("robyn_error", "Robyn's robyn_inputs left no modelling table.")
  }
  incomplete <- names(Filter(anyNA, inputs$dt_mod))
  if (length(incomplete)) {
    abort("robyn_error", sprintf(
      "Robyn's modelling table has missing values in `%s`.", incomplete[1]
    ), field = incomplete[1])
  }
  inputs
}
