# Errors are classed conditions. The class says who must act, and decides the exit code.
#
#   mmm_error
#   |- mmm_config_error     the job's JSON is wrong                        64
#   |- mmm_data_error       the data cannot be modelled as configured      65
#   |- robyn_missing_error  the job needs Robyn, which is not installed    70
#   |- nevergrad_error      the optimiser cannot be loaded                 70
#   |- robyn_error          Robyn failed or stopped early                  70
#   |- mmm_killed_error     a process of the run was killed; a retry helps 75
#   `- mmm_model_error      training or its outputs failed                 70

ERROR_EXIT_CODES <- c(
  mmm_config_error = 64L, mmm_data_error = 65L, robyn_missing_error = 70L,
  nevergrad_error = 70L, robyn_error = 70L, mmm_killed_error = 75L, mmm_model_error = 70L
)

#' Stop with a classed condition.
#'
#' @param class one of names(ERROR_EXIT_CODES).
#' @param ... parts of the message, pasted without separator.
#' @param field name of the job's field or of the column that is wrong, or NULL.
#' @param parent condition that caused this one, or NULL.
#' @noRd
abort <- function(class, ..., field = NULL, parent = NULL, call = sys.call(-1)) {
  stopifnot(class %in% names(ERROR_EXIT_CODES))
  stop(structure(
    class = c(class, "mmm_error", "error", "condition"),
    list(message = paste0(..., collapse = ""), call = call, field = field, parent = parent)
  ))
}

#' Exit code of a condition: that of its class, else 70.
#' @noRd
exit_code <- function(condition) {
  known <- intersect(class(condition), names(ERROR_EXIT_CODES))
  if (length(known)) ERROR_EXIT_CODES[[known[1]]] else 70L
}

#' The condition as a list for the result file.
#' @noRd
describe_error <- function(condition, step) {
  call <- conditionCall(condition)
  list(
    status = "error",
    class = class(condition)[1],
    message = conditionMessage(condition),
    field = condition$field,
    call = if (is.null(call)) NULL else substr(paste(deparse(call), collapse = " "), 1, 300),
    cause = if (is.null(condition$parent)) NULL else conditionMessage(condition$parent),
    step = step
  )
}

#' " (did you mean `x`?)" if one of `choices` is similar to `value`, else "".
#' @noRd
nearest <- function(value, choices) {
  if (!length(choices) || length(value) != 1 || is.na(value)) return("")
  distance <- utils::adist(value, choices, ignore.case = TRUE)[1, ]
  # The start of a name is similar to the name, however short it is.
  begins <- nchar(value) >= 3 & startsWith(tolower(choices), tolower(value))
  distance[begins] <- pmin(distance[begins], 1)
  best <- which.min(distance)
  if (distance[best] > max(2, nchar(value) / 3)) return("")
  sprintf(" (did you mean `%s`?)", choices[best])
}

#' Stop with an mmm_data_error unless `data` has all `columns`.
#' @noRd
check_columns <- function(data, columns, field) {
  missing <- setdiff(columns, names(data))
  if (!length(missing)) return(invisible(data))
  abort("mmm_data_error", sprintf(
    "`%s` names the column `%s`, which the data does not have%s; its columns are %s.",
    field, missing[1], nearest(missing[1], names(data)), paste(names(data), collapse = ", ")
  ), field = field)
}
