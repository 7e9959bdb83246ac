# nevergrad's differential evolution (optimisers TwoPointsDE and DE), draw for draw.
#
# It covers the search's use of nevergrad 1.0.12: Array(shape = (d,), lower = 0, upper = 1), two or
# three objectives with upper bounds of 1, objective weights, no constraints. In that setting
# nevergrad considers every point for its Pareto front, and neither archive nor hypervolume affects
# the next point. tests/testthat/test-differential_evolution.R compares the draws with nevergrad's
# own.

DE_CENTRE <- 0.5
DE_SIGMA <- 1 / 6
DE_POPULATION <- 30L

#' Make the optimiser.
#'
#' @param dimension number of hyperparameters.
#' @param budget maximum number of asks.
#' @param workers number of asks between two tells.
#' @param objectives 2 or 3 losses per candidate.
#' @param weights weights of the objectives.
#' @param seed numpy's global seed.
#' @param crossover "twopoints" (TwoPointsDE) or "variablewise" (DE).
#' @return list(ask, tell): `ask(n)` gives n candidates as columns of a matrix of values in [0, 1];
#'   `tell(losses)` takes their losses, a matrix with a column per candidate, in the same order.
#' @noRd
differential_evolution <- function(dimension, budget, workers, objectives, weights, seed,
                                   crossover = c("twopoints", "variablewise")) {
  crossover <- match.arg(crossover)
  stopifnot(dimension >= 1, budget >= 1, workers >= 1, objectives >= 2)
  stopifnot(length(weights) == objectives)
  # The parametrisation seeds its own stream with the first word of numpy's global one.
  random <- numpy_random(numpy_random(seed)$word())
  if (dimension < 4) crossover <- "variablewise"
  population_size <- max(DE_POPULATION, workers)
  weight_sum <- in_order(weights)

  capacity <- budget + workers
  value <- matrix(0, dimension, capacity)       # candidates in [0, 1], a column each
  data <- matrix(0, dimension, capacity)        # the same, centred and in units of sigma
  loss <- matrix(0, objectives, capacity)
  told <- logical(capacity)
  lineage <- integer(capacity)                  # place in the population
  count <- 0L
  pending <- integer()
  population <- integer()                       # candidate at each place
  front <- integer()                            # candidates of the Pareto front, oldest first
  queue <- integer(capacity)                    # places told, first in first out
  queue_head <- 0L
  queue_tail <- 0L
  asked <- integer()                            # places asked and not told, oldest first

  next_place <- function() {
    if (queue_head < queue_tail) {
      queue_head <<- queue_head + 1L
      place <- queue[queue_head]
    } else {
      place <- asked[1]
    }
    asked <<- c(asked[asked != place], place)
    place
  }

  child_of <- function(place) {
    parent <- population[place]
    a <- population[random$below(population_size) + 1]
    b <- population[random$below(population_size) + 1]
    size <- length(front)
    best <- if (parent %in% front) parent else front[random$below(size) + 1]
    if (size > 2) {
      two <- random$two_of(size)
      a <- front[two[1] + 1]
      b <- front[two[2] + 1]
    }
    own <- data[, parent]
    donor <- own + 0.8 * (data[, a] - data[, b]) + 0.8 * (data[, best] - own)
    keep <- if (crossover == "twopoints") two_points() else variablewise()
    donor[keep] <- own[keep]
    donor
  }

  # Elements of the donor that take the parent's value: between two cuts, or outside of them.
  two_points <- function() {
    cuts <- random$two_of(dimension + 1)
    if (cuts[1] > cuts[2]) cuts <- cuts[2:1]
    if (cuts[2] == dimension && cuts[1] == 0) {
      cut <- random$below(dimension - 1) + 1
      cuts[random$below(2) + 1] <- cut
    }
    inside <- (cuts[1] + 1):cuts[2]
    if (random$below(2) == 0) inside else -inside
  }

  variablewise <- function() {
    kept <- random$below(dimension) + 1
    transfer <- logical(dimension)
    for (i in seq_len(dimension)) transfer[i] <- i != kept && random$unit() > 0.5
    transfer
  }

  bounce <- function(x) {
    if (all(x >= 0 & x <= 1)) return(x)
    clipped <- pmin(pmax(x, 0), 1)
    pmin(pmax(2 * clipped - x, 0), 1)
  }

  ask_one <- function() {
    count <<- count + 1L
    if (length(population) < population_size) {
      place <- length(population) + 1L
      population[place] <<- count
      asked <<- c(asked, place)
      sampled <- random$normal(dimension)
    } else {
      place <- next_place()
      sampled <- child_of(place)
    }
    lineage[count] <<- place
    inside <- bounce(DE_SIGMA * (sampled + DE_CENTRE / DE_SIGMA))
    value[, count] <<- inside
    data[, count] <<- (inside - DE_CENTRE) / DE_SIGMA
    count
  }

  tell_one <- function(candidate, losses) {
    loss[, candidate] <<- losses
    told[candidate] <<- TRUE
    front <<- add_to_front(front, loss, candidate)
    place <- lineage[candidate]
    queue_tail <<- queue_tail + 1L
    queue[queue_tail] <<- place
    asked <<- asked[asked != place]
    parent <- population[place]
    if (told[parent]) {
      better <- (losses < loss[, parent]) %in% TRUE
      if (!(in_order(better * weights) / weight_sum > random$unit())) return(invisible())
    }
    population[place] <<- candidate
  }

  list(
    ask = function(n = 1L) {
      pending <<- integer(n)
      for (i in seq_len(n)) pending[i] <<- ask_one()
      value[, pending, drop = FALSE]
    },
    tell = function(losses) {
      losses <- matrix(losses, nrow = objectives)
      stopifnot(ncol(losses) == length(pending))
      for (i in seq_along(pending)) tell_one(pending[i], losses[, i])
      pending <<- integer()
      invisible()
    }
  )
}

# Sum in double precision from left to right, as numpy sums a few numbers; sum() keeps more digits.
in_order <- function(x) {
  total <- 0
  for (value in x) total <- total + value
  total
}

#' Add a candidate to the Pareto front and keep its order.
#'
#' nevergrad's rule: a point leaves the front if another point is nowhere worse.
#'
#' @param front candidates; none dominates another.
#' @param loss objectives x candidates.
#' @param candidate the candidate to add.
#' @noRd
add_to_front <- function(front, loss, candidate) {
  if (!length(front)) return(candidate)
  old <- loss[, front, drop = FALSE]
  new <- loss[, candidate]
  new_better <- old_better <- FALSE
  for (k in seq_along(new)) {
    new_better <- new_better | (new[k] < old[k, ])
    old_better <- old_better | (old[k, ] < new[k])
  }
  if (!all(new_better %in% TRUE)) return(front)
  c(front[old_better %in% TRUE], candidate)
}
