# Errors are classed conditions: the class says who has to act, and it decides the exit code.
#
#   mmm_error
#   |- mmm_config_error     the job's JSON cannot be right                 64
#   |- mmm_data_error       the data cannot be modelled as configured      65
#   |- robyn_missing_error  engine robyn was asked for, Robyn is not here  70
#   |- nevergrad_error      the optimiser cannot be loaded                 70
#   |- robyn_error          Robyn failed or left its work half done        70
#   |- mmm_killed_error     a process of the run was killed, try again     75
#   `- mmm_model_error      training or its outputs failed                 70

ERROR_EXIT_CODES <- c(
  mmm_config_error = 64L, mmm_data_error = 65L, robyn_missing_error = 70L,
  nevergrad_error = 70L, robyn_error = 70L, mmm_killed_error = 75L, mmm_model_error = 70L
)

#' Stop with a classed condition.
#'
#' @param class one of names(ERROR_EXIT_CODES).
#' @param ... pieces of the message, pasted without separator.
#' @param field name of the config field or column that the message is about, or NULL.
#' @param parent condition that caused this one, or NULL; its message is kept on the condition.
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

#' The condition as the list that the result file holds.
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

#' " (did you mean `x`?)" where one of `choices` is near to `value`, else "".
#' @noRd
nearest <- function(value, choices) {
  if (!length(choices) || length(value) != 1 || is.na(value)) return("")
  distance <- utils::adist(value, choices, ignore.case = TRUE)[1, ]
  # A beginning of a name is near to it, however much is left out.
  begins <- nchar(value) >= 3 & startsWith(tolower(choices), tolower(value))
  distance[begins] <- pmin(distance[begins], 1)
  best <- which.min(distance)
  if (distance[best] > max(2, nchar(value) / 3)) return("")
  sprintf(" (did you mean `%s`?)", choices[best])
}

#' Stop with a mmm_data_error unless every one of `columns` is in `data`.
#' @noRd
check_columns <- function(data, columns, field) {
  missing <- setdiff(columns, names(data))
  if (!length(missing)) return(invisible(data))
  abort("mmm_data_error", sprintf(
    "`%s` names the column `%s`, which the data does not have%s; its columns are %s.",
    field, missing[1], nearest(missing[1], names(data)), paste(names(data), collapse = ", ")
  ), field = field)
}
