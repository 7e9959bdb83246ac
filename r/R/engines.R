# The functions of each engine: inputs -> trials -> outputs -> plots.

#' The engine that a job uses on this machine: "robyn" or "builtin".
#'
#' @param engine "auto", "robyn" or "builtin"; auto is Robyn where it is installed.
#' @noRd
resolve_engine <- function(engine) {
  has_robyn <- nzchar(system.file(package = "Robyn"))
  if (engine == "auto") return(if (has_robyn) "robyn" else "builtin")
  if (engine == "robyn" && !has_robyn) {
    abort("robyn_missing_error", paste(
      "`engine` is robyn, but the R package Robyn is not installed.",
      "Install Robyn, or use engine builtin or auto."
    ), field = "engine")
  }
  engine
}

#' The functions of an engine.
#'
#' @param engine "robyn" or "builtin".
#' @param search "fast" or "robyn".
#' @return list(inputs, search, outputs, plots) of functions.
#' @noRd
engine_calls <- function(engine, search) {
  stopifnot(engine %in% c("robyn", "builtin"), engine == "robyn" || search == "fast")
  if (engine == "builtin") {
    return(list(
      inputs = builtin_inputs, search = run_trials,
      outputs = builtin_outputs, plots = write_onepagers
    ))
  }
  list(
    inputs = robyn_engine_inputs,
    search = if (search == "fast") run_trials else robyn_engine_search,
    outputs = robyn_engine_outputs, plots = robyn_engine_plots
  )
}

#' Whether nevergrad proposes the hyperparameters; if not, the same algorithm in R does.
#' @noRd
uses_nevergrad <- function(cfg) {
  cfg$search == "robyn" || !cfg$nevergrad_algo %in% names(OWN_OPTIMISERS)
}
