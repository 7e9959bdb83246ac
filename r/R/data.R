# The data of a model: read once and checked.

#' Read the job's CSV.
#'
#' @return data.frame in date order: the date column Date, factors character, all others double.
#'   Errors: mmm_data_error.
#' @noRd
read_data <- function(cfg) {
  data <- tryCatch(
    data.table::fread(
      cfg$data_csv, data.table = FALSE, na.strings = "", integer64 = "double", encoding = "UTF-8",
      colClasses = list(character = c(cfg$date_column, cfg$factors)), showProgress = FALSE
    ),
    error = function(e) {
      abort("mmm_data_error", "Cannot read `", basename(cfg$data_csv), "`: ", conditionMessage(e),
        field = "data_csv", parent = e)
    }
  )
  check_columns(data, cfg$date_column, "date_column")
  check_columns(data, cfg$target, "target")
  for (field in c("channel_spends", "channel_exposures", "organic", "context", "factors")) {
    check_columns(data, cfg[[field]], field)
  }
  dates <- as.Date(data[[cfg$date_column]], format = "%Y-%m-%d")
  if (anyNA(dates)) {
    abort("mmm_data_error", sprintf(
      "Column `%s` has the value `%s`; dates must look like 2024-12-30.",
      cfg$date_column, data[[cfg$date_column]][is.na(dates)][1]
    ), field = cfg$date_column)
  }
  data[[cfg$date_column]] <- dates
  data <- data[order(dates), , drop = FALSE]
  rownames(data) <- NULL
  for (column in setdiff(used_columns(cfg), c(cfg$date_column, cfg$factors))) {
    data[[column]] <- as_numbers(data[[column]], column)
  }
  check_dates(data[[cfg$date_column]], cfg$frequency, cfg$date_column)
  data
}

#' The columns that the job names.
#' @noRd
used_columns <- function(cfg) {
  unique(c(
    cfg$date_column, cfg$target, cfg$channel_spends, cfg$channel_exposures, cfg$organic,
    cfg$context, cfg$factors
  ))
}

as_numbers <- function(values, column) {
  if (is.character(values)) {
    abort("mmm_data_error", sprintf(
      "Column `%s` contains text (`%s`); list it in `factors` or make it numeric.",
      column, utils::head(values[is.na(suppressWarnings(as.numeric(values)))], 1)
    ), field = column)
  }
  values <- as.double(values)
  if (!all(is.finite(values))) {
    abort("mmm_data_error", sprintf(
      "Column `%s` has %d missing or infinite values.", column, sum(!is.finite(values))
    ), field = column)
  }
  values
}

#' Check that dates ascend in steps of the frequency, without duplicate or gap.
#' @noRd
check_dates <- function(dates, frequency, column) {
  if (length(dates) < 3) {
    abort("mmm_data_error", sprintf("The data has %d rows; a model needs 3.", length(dates)))
  }
  if (anyDuplicated(dates)) {
    abort("mmm_data_error", sprintf(
      "Column `%s` has %s more than once.", column, dates[anyDuplicated(dates)]
    ), field = column)
  }
  expected <- seq(dates[1], by = frequency, length.out = length(dates))
  if (frequency == "month" && any(format(dates, "%d") != "01")) {
    abort("mmm_data_error", sprintf(
      "Column `%s` must have the first day of each month; it has %s.",
      column, dates[format(dates, "%d") != "01"][1]
    ), field = column)
  }
  if (any(dates != expected)) {
    abort("mmm_data_error", sprintf(
      "Column `%s` must have a row for every %s: %s follows %s.", column, frequency,
      dates[dates != expected][1], dates[which(dates != expected)[1] - 1]
    ), field = column)
  }
  invisible(dates)
}

#' First and last row of the modelling window, snapped to the data as Robyn does.
#'
#' @return list(start, end, rows = integer(2)).
#' @noRd
model_window <- function(dates, start, end) {
  start <- if (is.null(start)) min(dates) else max(start, min(dates))
  end <- if (is.null(end)) max(dates) else end
  if (start > max(dates) || end < start) {
    abort("mmm_data_error", sprintf(
      "The window %s to %s has no data; the data runs from %s to %s.",
      start, end, min(dates), max(dates)
    ), field = "window_start")
  }
  rows <- c(which.min(abs(dates - start)), which.min(abs(dates - end)))
  list(start = dates[rows[1]], end = end, rows = rows)
}

#' Check the variables: media must not be negative or all zero, columns must change.
#' @noRd
check_variables <- function(data, cfg, rows) {
  window <- data[rows[1]:rows[2], , drop = FALSE]
  refuse <- function(column, why) {
    abort("mmm_data_error", sprintf("Column `%s` %s.", column, why), field = column)
  }
  for (column in unique(c(cfg$channel_spends, cfg$channel_exposures, cfg$organic))) {
    if (any(data[[column]] < 0)) refuse(column, "has negative values; media cannot be negative")
    if (sum(window[[column]]) == 0) refuse(column, "is zero in the whole modelling window")
  }
  for (column in setdiff(used_columns(cfg), cfg$date_column)) {
    if (length(unique(data[[column]])) < 2) refuse(column, "never changes")
  }
  drivers <- length(c(cfg$prophet_vars, cfg$context, cfg$channel_spends, cfg$organic))
  if (nrow(window) < 10 * drivers) {
    warning(sprintf(
      "There are %d rows for %d variables; use at least ten rows per variable.",
      nrow(window), drivers
    ), call. = FALSE)
  }
  invisible(data)
}
