# The optimiser of the search, with the interface ask(n) and tell(losses).

# nevergrad's optimisers that are implemented in R, with their crossover.
OWN_OPTIMISERS <- c(TwoPointsDE = "twopoints", DE = "variablewise")

#' Make an optimiser by its name in nevergrad's registry.
#'
#' TwoPointsDE and DE are implemented in R (see differential_evolution.R). For every other name, R
#' calls nevergrad through reticulate, as Robyn does.
#'
#' @param name registry name.
#' @param dimension,budget,workers,objectives,weights,seed see
#'   `differential_evolution()`.
#' @param own FALSE uses nevergrad for every name.
#' @return list(ask, tell). Errors: nevergrad_error with Python's message.
#' @noRd
make_optimiser <- function(name, dimension, budget, workers, objectives, weights, seed,
                           own = name %in% names(OWN_OPTIMISERS)) {
  if (own) {
    return(differential_evolution(
      dimension, budget, workers, objectives, weights, seed, OWN_OPTIMISERS[[name]]
    ))
  }
  nevergrad_optimiser(name, dimension, budget, workers, objectives, weights, seed)
}

#' An optimiser of the installed nevergrad.
#'
#' @inheritParams make_optimiser
#' @noRd
nevergrad_optimiser <- function(name, dimension, budget, workers, objectives, weights, seed) {
  guarded <- function(code) {
    tryCatch(code, error = function(e) {
      abort("nevergrad_error", "nevergrad's ", name, " failed: ", conditionMessage(e), parent = e)
    })
  }
  floats <- function(x) do.call(reticulate::tuple, as.list(as.double(x)))
  optimiser <- guarded({
    nevergrad <- reticulate::import("nevergrad")
    reticulate::import("numpy")$random$seed(as.integer(seed))
    box <- nevergrad$p$Array(shape = reticulate::tuple(as.integer(dimension)), lower = 0, upper = 1)
    made <- nevergrad$optimizers$registry[name](
      box, budget = as.integer(budget), num_workers = as.integer(workers)
    )
    made$tell(nevergrad$p$MultiobjectiveReference(), floats(rep(1, objectives)))
    made$set_objective_weights(floats(weights))
    made
  })
  pending <- list()
  list(
    ask = function(n = 1L) {
      guarded({
        pending <<- lapply(seq_len(n), function(i) optimiser$ask())
        matrix(vapply(pending, function(p) as.double(p$value), numeric(dimension)), dimension)
      })
    },
    tell = function(losses) {
      losses <- matrix(losses, nrow = objectives)
      stopifnot(ncol(losses) == length(pending))
      guarded({
        for (i in seq_along(pending)) optimiser$tell(pending[[i]], floats(losses[, i]))
      })
      pending <<- list()
      invisible()
    }
  )
}
