# Budget allocator: the best split of a mean period's budget, on a model's response curves.
#
# As in Robyn, a channel's response to a spend is its curve at spend plus mean carry-over, and
# bounds are multiples of the mean spend. Two things differ. The search (SLSQP of nloptr) starts
# from several points, including the present split, so its answer is never below the present
# response. A target ROAS or CPA is a bound, not an equation.

#' Allocate for one model and one scenario.
#'
#' @param media list by paid channel: spend (present mean a period), carryover, coef, alpha,
#'   inflexion.
#' @param scenario list: scenario, and optionally total_budget (of all periods), target_value (ROAS
#'   or CPA), channel_low, channel_high (multiples of the present spend).
#' @param periods number of periods of the window.
#' @param kind "revenue" or "conversion".
#' @return data.table rn, spend_now, spend_optimal, response_now, response_optimal,
#'   marginal_now, marginal_optimal, lower, upper; attributes budget, target, feasible.
#' @noRd
allocate <- function(media, scenario, periods, kind) {
  stopifnot(scenario$scenario %in% CONFIG_ENUMS$allocator_scenario)
  field <- function(f) vapply(media, function(m) as.numeric(m[[f]]), 0)
  spend <- field("spend")
  carryover <- field("carryover")
  coef <- field("coef")
  alpha <- field("alpha")
  inflexion <- field("inflexion")
  respond <- function(s) coef * hill_saturation(s + carryover, alpha, inflexion)
  slopes <- function(s) {
    slope <- coef * hill_slope(s + carryover, alpha, inflexion)
    ifelse(is.finite(slope), slope, 0)
  }
  bounds <- allocation_bounds(scenario, spend, coef)
  if (scenario$scenario == "max_response") {
    budget <- setting(scenario, "total_budget", sum(spend) * periods) / periods
    goal <- list(budget = budget, target = NA_real_)
    constraint <- list(value = function(s) sum(s) - budget, gradient = function(s) s * 0 + 1)
  } else {
    now <- sum(respond(spend)) / sum(spend)
    goal <- efficiency_goal(setting(scenario, "target_value", NULL), now, kind)
    roas <- goal$roas
    constraint <- list(
      value = function(s) roas * sum(s) - sum(respond(s)),
      gradient = function(s) roas - slopes(s)
    )
  }
  found <- best_split(spend, bounds, respond, slopes, constraint,
    exact = scenario$scenario == "max_response")
  marginal <- function(s) respond(s + 1) - respond(s)
  result <- data.table::data.table(
    rn = names(media), spend_now = spend, spend_optimal = found$spend,
    response_now = respond(spend), response_optimal = respond(found$spend),
    marginal_now = marginal(spend), marginal_optimal = marginal(found$spend),
    lower = bounds$lower, upper = bounds$upper
  )
  attr(result, "budget") <- goal$budget
  attr(result, "target") <- goal$target
  attr(result, "feasible") <- found$feasible
  result
}

#' A scenario's setting, or `default` where it is missing.
#' @noRd
setting <- function(scenario, name, default) {
  value <- scenario[[name]]
  if (is.null(value) || is.na(value)) default else value
}

#' Bounds of a scenario as multiples of the present spend, by default Robyn's.
#' @noRd
allocation_factors <- function(scenario) {
  efficiency <- scenario$scenario == "target_efficiency"
  list(
    low = setting(scenario, "channel_low", if (efficiency) 0.1 else 0.5),
    high = setting(scenario, "channel_high", if (efficiency) 10 else 2)
  )
}

#' Bounds of the channels: 0 for one without effect, else multiples of its present spend.
#' @noRd
allocation_bounds <- function(scenario, spend, coef) {
  factors <- allocation_factors(scenario)
  list(
    lower = ifelse(coef > 0, spend * factors$low, 0),
    upper = ifelse(coef > 0, spend * factors$high, 0)
  )
}

#' The ROAS that the allocation must keep. Robyn's defaults: 80 % of the present ROAS, 120 % of the
#' present CPA.
#' @noRd
efficiency_goal <- function(target, now, kind) {
  if (kind == "conversion") {
    target <- if (is.null(target)) 1.2 / now else target
    return(list(budget = NA_real_, target = target, roas = 1 / target))
  }
  target <- if (is.null(target)) 0.8 * now else target
  list(budget = NA_real_, target = target, roas = target)
}

#' The split of greatest response within bounds and constraint, from several starts.
#'
#' @param exact TRUE: the constraint's value is zero; FALSE: at most zero.
#' @return list(spend, feasible).
#' @noRd
best_split <- function(spend, bounds, respond, slopes, constraint, exact) {
  free <- bounds$upper > bounds$lower
  clamp <- function(s) pmin(pmax(s, bounds$lower), bounds$upper)
  if (!any(free)) return(list(spend = clamp(spend), feasible = FALSE))
  # Scaled so that one unit is the mean free spend and the response is of the order of one.
  unit <- mean(bounds$upper[free])
  size <- max(sum(respond(spend)), .Machine$double.eps)
  whole <- function(z) replace(clamp(spend), free, z * unit)
  scale <- max(abs(constraint$value(clamp(spend))), abs(constraint$value(bounds$upper)), unit)
  rule <- list(
    constraint = function(z) constraint$value(whole(z)) / scale,
    jacobian = function(z) constraint$gradient(whole(z))[free] * unit / scale
  )
  objective <- function(z) -sum(respond(whole(z))) / size
  gradient <- function(z) -slopes(whole(z))[free] * unit / size
  starts <- list(
    clamp(spend), bounds$lower, bounds$upper, (bounds$lower + bounds$upper) / 2,
    clamp(spend * slopes(spend) / max(mean(slopes(spend)), .Machine$double.eps))
  )
  ends <- lapply(starts, function(start) {
    arguments <- list(
      x0 = (start / unit)[free], eval_f = objective, eval_grad_f = gradient,
      lb = (bounds$lower / unit)[free], ub = (bounds$upper / unit)[free],
      opts = list(algorithm = "NLOPT_LD_SLSQP", xtol_rel = 1e-10, maxeval = 2000)
    )
    kind <- if (exact) "eq" else "ineq"
    arguments[[paste0("eval_g_", kind)]] <- rule$constraint
    arguments[[paste0("eval_jac_g_", kind)]] <- rule$jacobian
    whole(do.call(nloptr::nloptr, arguments)$solution)
  })
  choose_split(c(ends, list(clamp(spend))), respond, constraint, scale, exact)
}

#' The best of the splits that keep the constraint; if none does, the one that breaks it least.
#' @noRd
choose_split <- function(splits, respond, constraint, scale, exact) {
  broken <- vapply(splits, function(s) {
    value <- constraint$value(s) / scale
    if (exact) abs(value) else max(value, 0)
  }, 0)
  kept <- broken < 1e-6
  if (!any(kept)) return(list(spend = splits[[which.min(broken)]], feasible = FALSE))
  response <- vapply(splits, function(s) sum(respond(s)), 0)
  response[!kept] <- -Inf
  list(spend = splits[[which.max(response)]], feasible = TRUE)
}
