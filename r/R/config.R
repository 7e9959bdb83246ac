# The job's JSON: flat, resolved values only. Python writes every field; R has no defaults.

#' Every value that R knows for a field with a closed set, as `run_all.R --enums` prints it.
#' @noRd
CONFIG_ENUMS <- list(
  engine = c("auto", "robyn", "builtin"),
  search = c("fast", "robyn"),
  frequency = c("day", "week", "month"),
  target_kind = c("revenue", "conversion"),
  adstock = c("geometric", "weibull_cdf", "weibull_pdf"),
  sign = c("positive", "negative", "default"),
  prophet_var = c("trend", "season", "monthly", "weekday", "holiday"),
  intercept_sign = c("non_negative", "unconstrained"),
  nevergrad_algo = c(
    "TwoPointsDE", "DE", "AlmostRotationInvariantDE", "AlmostRotationInvariantDEAndBigPop",
    "BPRotationInvariantDE", "DiscreteDE", "HSDE", "LPSDE", "LQODE", "LQOTPDE", "LhsDE",
    "LhsHSDE", "MiniDE", "MiniLhsDE", "MiniQrDE", "NoisyDE", "OnePointDE",
    "ParametrizationDE", "QODE", "QOTPDE", "QrDE", "RotatedTwoPointsDE",
    "RotationInvariantDE", "SODE", "SPQODE", "VoronoiDE"
  ),
  calibration_scope = c("immediate", "total"),
  allocator_scenario = c("max_response", "target_efficiency"),
  interval_method = c("cluster", "bootstrap", "none")
)

# Field -> kind (see check_kind()). A trailing ? allows null, a trailing * a list.
CONFIG_FIELDS <- c(
  run_id = "string", market = "string", revision = "string", engine = "engine", search = "search",
  data_csv = "file", holidays_csv = "file?", output_dir = "dir", work_dir = "dir",
  progress_file = "string?", result_file = "string", date_column = "string",
  frequency = "frequency", window_start = "date?", window_end = "date?", target = "string",
  target_kind = "target_kind", channel_names = "strings", channel_spends = "strings",
  channel_exposures = "strings", channel_signs = "sign*", organic = "strings",
  organic_signs = "sign*", context = "strings", context_signs = "sign*", factors = "strings",
  adstock = "adstock", trials = "count", iterations = "count", max_iterations = "count?",
  seed = "integer", cores = "count", workers = "count", trials_todo = "integers", merge = "flag",
  hyperparameters = "ranges",
  prophet_vars = "prophet_var*", prophet_signs = "sign*", prophet_country = "string?",
  ts_validation = "flag", add_penalty_factor = "flag", intercept = "flag",
  intercept_sign = "intercept_sign", rssd_zero_penalty = "flag", objective_weights = "numbers?",
  nevergrad_algo = "nevergrad_algo", pareto_fronts = "any", min_candidates = "count",
  calibration_constraint = "number", calibration = "any", allocator_scenarios = "any",
  onepagers = "number", include_data = "flag", intervals_method = "interval_method",
  intervals_level = "share", intervals_draws = "count", intervals_block = "count?",
  validation_folds = "natural", validation_horizon = "count", python = "string"
)

#' Read and check the job's JSON.
#'
#' @param path path of the JSON file.
#' @return list with every field of CONFIG_FIELDS; `python` expands to an executable's path.
#'   Errors: mmm_config_error that names field, value and what is allowed.
#' @noRd
read_config <- function(path) {
  if (!file.exists(path)) abort("mmm_config_error", "The job file `", path, "` does not exist.")
  raw <- tryCatch(
    jsonlite::fromJSON(path, simplifyVector = TRUE, simplifyDataFrame = TRUE),
    error = function(e) {
      abort("mmm_config_error", "`", path, "` is not JSON: ", conditionMessage(e), parent = e)
    }
  )
  unknown <- setdiff(names(raw), names(CONFIG_FIELDS))
  if (length(unknown)) {
    abort("mmm_config_error", sprintf(
      "`%s` is not a field of the job%s.", unknown[1], nearest(unknown[1], names(CONFIG_FIELDS))
    ), field = unknown[1])
  }
  fields <- names(CONFIG_FIELDS)
  missing <- setdiff(fields, names(raw))
  if (length(missing)) {
    abort("mmm_config_error", sprintf("The job has no field `%s`.", missing[1]), field = missing[1])
  }
  cfg <- lapply(fields, function(field) check_kind(field, raw[[field]], CONFIG_FIELDS[[field]]))
  names(cfg) <- fields
  cfg$allocator_scenarios <- scenario_list(cfg$allocator_scenarios)
  check_lengths(cfg)
  cfg
}

`%||%` <- function(x, y) if (is.null(x)) y else x

#' Check a field against its kind; returns the value in R's type.
#' @noRd
check_kind <- function(field, value, kind) {
  optional <- endsWith(kind, "?")
  many <- endsWith(kind, "*")
  kind <- sub("[?*]$", "", kind)
  if (kind == "any" || optional && is.null(value)) return(value)
  refuse <- function(allowed) {
    abort("mmm_config_error", sprintf(
      "`%s` is %s; it must be %s.", field, show_value(value), allowed
    ), field = field)
  }
  if (kind == "ranges") return(check_ranges(value, refuse))
  if (kind %in% names(CONFIG_ENUMS)) return(check_enum(value, CONFIG_ENUMS[[kind]], many, refuse))
  if (kind %in% c("strings", "integers", "numbers") && !length(value)) value <- EMPTY[[kind]]
  rule <- CONFIG_KINDS[[kind]]
  if (!isTRUE(rule$fits(value))) refuse(rule$allowed)
  if (is.null(rule$as)) value else rule$as(value)
}

EMPTY <- list(strings = character(), integers = integer(), numbers = numeric())

one <- function(x) length(x) == 1 && !anyNA(x)
whole_numbers <- function(x) is.numeric(x) && !anyNA(x) && all(x == round(x))
is_share <- function(x) one(x) && is.numeric(x) && x > 0 && x < 1
read_date <- function(x) as.Date(x, format = "%Y-%m-%d")

# Kind -> its test, its description, and the conversion to R's type.
CONFIG_KINDS <- list(
  string = list(fits = function(x) one(x) && is.character(x), allowed = "one text"),
  strings = list(fits = is.character, allowed = "a list of texts"),
  file = list(
    fits = function(x) one(x) && is.character(x) && file.exists(x),
    allowed = "the path of an existing file"
  ),
  dir = list(
    fits = function(x) one(x) && is.character(x) && dir.exists(x),
    allowed = "the path of an existing folder", as = normalizePath
  ),
  date = list(
    fits = function(x) one(x) && is.character(x) && !is.na(read_date(x)),
    allowed = "a date such as 2024-12-30", as = read_date
  ),
  count = list(
    fits = function(x) one(x) && whole_numbers(x) && x >= 1,
    allowed = "a whole number from 1", as = as.integer
  ),
  share = list(fits = is_share, allowed = "above 0 and below 1"),
  natural = list(
    fits = function(x) one(x) && whole_numbers(x) && x >= 0,
    allowed = "a whole number from 0", as = as.integer
  ),
  integer = list(
    fits = function(x) one(x) && whole_numbers(x) && abs(x) < 2^31,
    allowed = "a whole number", as = as.integer
  ),
  integers = list(fits = whole_numbers, allowed = "a list of whole numbers", as = as.integer),
  number = list(fits = function(x) one(x) && is.numeric(x), allowed = "a number"),
  numbers = list(fits = function(x) is.numeric(x) && !anyNA(x), allowed = "a list of numbers"),
  flag = list(fits = function(x) one(x) && is.logical(x), allowed = "true or false")
)

#' Check one value, or many, of a closed set.
#' @noRd
check_enum <- function(value, allowed, many, refuse) {
  if (many && !length(value)) return(character())
  wrong <- setdiff(as.character(unlist(value)), allowed)
  if (is.character(value) && !length(wrong) && (many || length(value) == 1)) return(value)
  hint <- if (length(wrong)) nearest(wrong[1], allowed) else ""
  refuse(paste0(if (many) "a list, each ", "one of ", paste(allowed, collapse = ", "), hint))
}

#' Check hyperparameters: each is a number or an ascending pair. jsonlite may make matrices of them.
#' @noRd
check_ranges <- function(value, refuse) {
  if (!is.list(value) || is.null(names(value))) refuse("an object of names and ranges")
  for (name in names(value)) {
    range <- unlist(value[[name]])
    if (!is.numeric(range) || !length(range) %in% 1:2 || anyNA(range) || is.unsorted(range)) {
      abort("mmm_config_error", sprintf(
        "`hyperparameters.%s` is %s; it must be one number or [low, high].",
        name, show_value(range)
      ), field = paste0("hyperparameters.", name))
    }
    value[[name]] <- as.numeric(range)
  }
  value
}

#' The allocator's scenarios as a list of lists; jsonlite may make a data frame of them.
#' @noRd
scenario_list <- function(scenarios) {
  if (is.data.frame(scenarios)) {
    scenarios <- lapply(seq_len(nrow(scenarios)), function(i) as.list(scenarios[i, , drop = FALSE]))
  }
  allowed <- CONFIG_ENUMS$allocator_scenario
  for (i in seq_along(scenarios)) {
    field <- sprintf("allocator_scenarios[%d]", i - 1)
    if (!isTRUE(scenarios[[i]]$scenario %in% allowed)) {
      abort("mmm_config_error", sprintf(
        "`%s.scenario` is %s; it must be one of %s.", field, show_value(scenarios[[i]]$scenario),
        paste(allowed, collapse = ", ")
      ), field = field)
    }
    bounds <- allocation_factors(scenarios[[i]])
    if (bounds$low > bounds$high) {
      abort("mmm_config_error", sprintf(
        "`%s` has channel_low %s above channel_high %s.", field, bounds$low, bounds$high
      ), field = field)
    }
  }
  scenarios
}

#' Check that lists of the same things have the same length.
#' @noRd
check_lengths <- function(cfg) {
  same <- list(
    c("channel_names", "channel_spends"), c("channel_spends", "channel_exposures"),
    c("channel_spends", "channel_signs"), c("organic", "organic_signs"),
    c("context", "context_signs"), c("prophet_vars", "prophet_signs")
  )
  for (pair in same) {
    if (length(cfg[[pair[1]]]) != length(cfg[[pair[2]]])) {
      abort("mmm_config_error", sprintf(
        "`%s` has %d elements and `%s` has %d; both must have the same number.",
        pair[2], length(cfg[[pair[2]]]), pair[1], length(cfg[[pair[1]]])
      ), field = pair[2])
    }
  }
  if (!length(cfg$channel_spends)) {
    abort("mmm_config_error", "`channel_spends` is empty; a model needs a paid channel.",
      field = "channel_spends")
  }
  stray <- setdiff(cfg$factors, cfg$context)
  if (length(stray)) {
    abort("mmm_config_error", sprintf(
      "`factors` names `%s`, which is not among `context`%s.", stray[1],
      nearest(stray[1], cfg$context)
    ), field = "factors")
  }
  if (!is.null(cfg$max_iterations) && cfg$max_iterations < cfg$iterations) {
    abort("mmm_config_error", sprintf(
      "`max_iterations` is %d; it must be at least `iterations` (%d).", cfg$max_iterations,
      cfg$iterations
    ), field = "max_iterations")
  }
  if (!all(cfg$trials_todo %in% seq_len(cfg$trials))) {
    abort("mmm_config_error", sprintf(
      "`trials_todo` is %s; its numbers must be from 1 to `trials` (%d).",
      show_value(cfg$trials_todo), cfg$trials
    ), field = "trials_todo")
  }
  invisible(cfg)
}

#' A value as text for an error message.
#' @noRd
show_value <- function(value) {
  if (is.null(value)) return("null")
  shown <- as.character(jsonlite::toJSON(value, auto_unbox = TRUE, digits = NA, null = "null"))
  if (nchar(shown) > 80) paste0(substr(shown, 1, 77), "...") else shown
}
