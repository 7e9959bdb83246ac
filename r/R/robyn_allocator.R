# Budgets by robyn_allocator, in the columns of both engines' table.

# Maximum relative error of budget or target in a feasible optimum of Robyn's.
ALLOCATION_TOLERANCE <- 1e-3

#' The table `allocation`: every scenario for the best model.
#'
#' Other models are left out, because robyn_allocator takes seconds per model.
#'
#' @param made model_outputs() result with Robyn's OutputCollect as collect.
#' @return data.table of allocation_table(). It has no rows, with a warning, if Robyn's allocator
#'   cannot be used.
#' @noRd
robyn_allocations <- function(inputs, made, cfg) {
  none <- made$tables$allocation[0]
  scenarios <- scenario_list(cfg$allocator_scenarios)
  if (!length(scenarios)) return(none)
  if (length(inputs$paid_media_selected) < 2) {
    warning("No budget is allocated: Robyn's allocator needs two paid channels.", call. = FALSE)
    return(none)
  }
  found <- map_children(seq_along(scenarios), function(i) {
    robyn_allocation(inputs, made$collect, made$best_model, scenarios[[i]])
  }, cores = min(cfg$cores, length(scenarios)))
  failed <- vapply(found, inherits, NA, "error")
  for (i in which(failed)) {
    warning(sprintf(
      "No budget is allocated for scenario %d (%s): %s", i, scenarios[[i]]$scenario,
      conditionMessage(found[[i]])
    ), call. = FALSE)
  }
  rows <- lapply(which(!failed), function(i) {
    list(
      model = made$best_model, number = i, scenario = scenarios[[i]]$scenario, rows = found[[i]]
    )
  })
  if (!length(rows)) return(none)
  allocation_table(
    rows, variable_kinds(inputs, cfg), made$best_model, nrow(inputs$dt_modRollWind)
  )
}

#' One scenario for one model.
#'
#' @return data.table of allocate(). Errors: robyn_error.
#' @noRd
robyn_allocation <- function(inputs, collect, model, scenario) {
  settings <- list(total_budget = "total_budget", target_value = "target_value",
    channel_constr_low = "channel_low", channel_constr_up = "channel_high")
  arguments <- lapply(settings, function(name) setting(scenario, name, NULL))
  # Robyn needs both bounds or none.
  efficiency <- scenario$scenario == "target_efficiency"
  if (!is.null(arguments$channel_constr_low) || !is.null(arguments$channel_constr_up)) {
    arguments$channel_constr_low <- arguments$channel_constr_low %||% if (efficiency) 0.1 else 0.5
    arguments$channel_constr_up <- arguments$channel_constr_up %||% if (efficiency) 10 else 2
  }
  arguments <- c(Filter(Negate(is.null), arguments), list(
    InputCollect = inputs, OutputCollect = collect, select_model = model,
    scenario = scenario$scenario, plots = FALSE, export = FALSE, quiet = TRUE
  ))
  made <- ask_robyn("robyn_allocator", withCallingHandlers(
    do.call(Robyn::robyn_allocator, arguments),
    warning = function(w) {
      # Harmless: Robyn looks for a scale.
      if (grepl("no non-missing arguments", conditionMessage(w))) invokeRestart("muffleWarning")
    }
  ))
  rows <- made$dt_optimOut
  rows <- rows[match(inputs$paid_media_selected, rows$channels), ]
  result <- data.table::data.table(
    rn = rows$channels, spend_now = rows$initSpendUnit, spend_optimal = rows$optmSpendUnit,
    # initResponseUnit is a mean of responses, or with exposures the response to the mean.
    response_now = rows$initResponseUnitSim, response_optimal = rows$optmResponseUnit,
    marginal_now = rows$initResponseMargUnit, marginal_optimal = rows$optmResponseMargUnit,
    lower = rows$constr_low_abs, upper = rows$constr_up_abs
  )
  goal <- allocation_goal(rows, scenario, inputs$dep_var_type)
  attr(result, "budget") <- goal$budget
  attr(result, "target") <- goal$target
  attr(result, "feasible") <- goal$feasible
  result
}

#' Robyn's goal and whether its optimum reaches it, which its status codes do not say.
#' @noRd
allocation_goal <- function(rows, scenario, kind) {
  near <- function(a, b) is.finite(a) && is.finite(b) && abs(a - b) <= ALLOCATION_TOLERANCE * abs(b)
  if (scenario$scenario == "max_response") {
    budget <- rows$total_budget_unit[1]
    return(list(
      budget = budget, target = NA_real_, feasible = near(sum(rows$optmSpendUnit), budget)
    ))
  }
  spend <- sum(rows$optmSpendUnit)
  response <- sum(rows$optmResponseUnit)
  now <- sum(rows$initResponseUnit) / sum(rows$initSpendUnit)
  # Robyn's defaults: 80 % of the present ROAS, 120 % of the present CPA.
  default <- if (kind == "conversion") 1.2 / now else 0.8 * now
  target <- setting(scenario, "target_value", default)
  reached <- if (kind == "conversion") spend / response else response / spend
  list(budget = NA_real_, target = target, feasible = near(reached, target))
}
