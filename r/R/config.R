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

# Field -> kind: what its value becomes in R (see CONFIG_KINDS).
CONFIG_FIELDS <- c(
  run_id = "as_is", market = "as_is", revision = "as_is", engine = "as_is", search = "as_is",
  data_csv = "as_is", holidays_csv = "as_is", output_dir = "folder", work_dir = "folder",
  progress_file = "as_is", result_file = "as_is", date_column = "as_is", frequency = "as_is",
  window_start = "date", window_end = "date", target = "as_is", target_kind = "as_is",
  channel_names = "texts", channel_spends = "texts", channel_exposures = "texts",
  channel_signs = "texts", organic = "texts", organic_signs = "texts", context = "texts",
  context_signs = "texts", factors = "texts", adstock = "as_is", trials = "whole",
  iterations = "whole", max_iterations = "whole", seed = "whole", cores = "whole",
  workers = "whole", trials_todo = "whole", merge = "as_is", hyperparameters = "ranges",
  prophet_vars = "texts", prophet_signs = "texts", prophet_country = "as_is",
  ts_validation = "as_is", add_penalty_factor = "as_is", intercept = "as_is",
  intercept_sign = "as_is", rssd_zero_penalty = "as_is", objective_weights = "as_is",
  nevergrad_algo = "as_is", pareto_fronts = "as_is", min_candidates = "whole",
  calibration_constraint = "as_is", calibration = "as_is", allocator_scenarios = "scenarios",
  onepagers = "as_is", include_data = "as_is", intervals_method = "as_is",
  intervals_level = "as_is", intervals_draws = "whole", intervals_block = "whole",
  python = "as_is"
)

# Kind -> the function that makes R's value of JSON's. NULL stays NULL, except for lists.
CONFIG_KINDS <- list(
  as_is = identity,
  whole = as.integer,
  texts = function(x) as.character(unlist(x)),
  date = function(x) as.Date(x, format = "%Y-%m-%d"),
  folder = normalizePath,
  ranges = function(x) lapply(x, function(range) as.numeric(unlist(range))),
  scenarios = function(x) scenario_list(x)
)

#' Read the job's JSON. Its values were checked before they were written.
#'
#' @param path path of the JSON file.
#' @return list with every field of CONFIG_FIELDS, in R's types. Errors: mmm_config_error where the
#'   file is no JSON, or has other fields than these.
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
  missing <- setdiff(names(CONFIG_FIELDS), names(raw))
  if (length(missing)) {
    abort("mmm_config_error", sprintf("The job has no field `%s`.", missing[1]), field = missing[1])
  }
  lapply(stats::setNames(nm = names(CONFIG_FIELDS)), function(field) {
    value <- raw[[field]]
    kind <- CONFIG_FIELDS[[field]]
    if (is.null(value) && kind != "texts") NULL else CONFIG_KINDS[[kind]](value)
  })
}

`%||%` <- function(x, y) if (is.null(x)) y else x

#' The allocator's scenarios as a list of lists; jsonlite may make a data frame of them.
#' @noRd
scenario_list <- function(scenarios) {
  if (!is.data.frame(scenarios)) return(scenarios)
  lapply(seq_len(nrow(scenarios)), function(i) as.list(scenarios[i, , drop = FALSE]))
}

#' A value as text for an error message.
#' @noRd
show_value <- function(value) {
  if (is.null(value)) return("null")
  shown <- as.character(jsonlite::toJSON(value, auto_unbox = TRUE, digits = NA, null = "null"))
  if (nchar(shown) > 80) paste0(substr(shown, 1, 77), "...") else shown
}
