# The hyperparameters of the search: names, bounds, order, fixed values, defaults.
#
# The optimiser draws a vector, so the order of the hyperparameters decides every draw. The order is
# exactly Robyn's.

#' Robyn's default ranges (`set_default_hyppar()`).
#' @noRd
DEFAULT_RANGES <- list(
  alphas = c(0.5, 3), gammas = c(0.01, 1), thetas = c(0, 0.8), shapes = c(0, 10),
  scales = c(0, 0.1), train_size = c(0.5, 0.9)
)

#' Kinds of hyperparameters that a medium has under an adstock.
#' @noRd
hyperparameter_kinds <- function(adstock) {
  stopifnot(adstock %in% ADSTOCKS)
  c("alphas", "gammas", if (adstock == "geometric") "thetas" else c("shapes", "scales"))
}

#' Names of the hyperparameters of all media, sorted as Robyn sorts them.
#'
#' @param adstock one of ADSTOCKS.
#' @param all_media names of paid and organic media.
#' @noRd
hyperparameter_names <- function(adstock, all_media) {
  sort(as.vector(outer(all_media, hyperparameter_kinds(adstock), paste, sep = "_")))
}

#' Default ranges of all hyperparameters of a model.
#'
#' @inheritParams hyperparameter_names
#' @return named list of c(low, high), train_size last.
#' @noRd
default_hyperparameters <- function(adstock, all_media) {
  names <- hyperparameter_names(adstock, all_media)
  ranges <- lapply(sub(".*_", "", names), function(kind) DEFAULT_RANGES[[kind]])
  c(stats::setNames(ranges, names), DEFAULT_RANGES["train_size"])
}

#' The search space of a run, in Robyn's order: hyperparameters that vary and those that are fixed.
#'
#' @param inputs InputCollect, or the inputs of the builtin engine.
#' @param settings from `search_settings()`.
#' @return list: names (all, in the order of Robyn's tables), updated (named list of
#'   c(low, high), in the optimiser's order), fixed (named list of one number), all (named list),
#'   columns (names in the order of a model's row).
#' @noRd
hyperparameter_space <- function(inputs, settings) {
  independent <- setdiff(names(inputs$dt_mod), c("ds", "dep_var"))
  penalties <- if (settings$add_penalty_factor) paste0(independent, "_penalty")
  names <- c(
    hyperparameter_names(inputs$adstock, inputs$all_media), "lambda", "train_size", penalties
  )
  if (!is.null(settings$dt_hyper_fixed)) return(fixed_space(names, settings$dt_hyper_fixed))

  given <- inputs$hyperparameters
  bounds <- given[intersect(names, names(given))]
  if (is.null(bounds[["lambda"]])) bounds[["lambda"]] <- c(0, 1)
  if (!settings$ts_validation) bounds[["train_size"]] <- 1
  if (is.null(bounds[["train_size"]])) bounds[["train_size"]] <- c(0.5, 0.8)
  for (penalty in setdiff(penalties, names(bounds))) bounds[[penalty]] <- c(0, 1)

  updated <- bounds[lengths(bounds) == 2]
  fixed <- bounds[lengths(bounds) == 1]
  list(
    names = names, updated = updated, fixed = fixed, all = c(updated, fixed)[names],
    columns = if (length(fixed)) names else names(updated)
  )
}

# The space of one model whose hyperparameters are all known (Robyn's dt_hyper_fixed).
fixed_space <- function(names, values) {
  fixed <- stats::setNames(lapply(names, function(name) values[[name]][[1]]), names)
  none <- stats::setNames(list(), character())
  list(names = names, updated = none, fixed = fixed, all = fixed, columns = names)
}

#' Make the function that turns the optimiser's values in \[0, 1\] into hyperparameters.
#'
#' @param space from `hyperparameter_space()`.
#' @return function(values): numeric, in the order of `space$updated`.
#' @noRd
hyperparameter_scaler <- function(space) {
  low <- vapply(space$updated, function(b) min(unlist(b)), 0, USE.NAMES = FALSE)
  width <- vapply(space$updated, function(b) max(unlist(b)), 0, USE.NAMES = FALSE) - low
  # Robyn keeps ten significant digits of a draw.
  function(values) low + signif(values, 10) * width
}
