# Whether two objects of Robyn are the same, to the last attribute.

# What depends on clocks, and pictures, which are compared by class.
CLOCKS <- c("Elapsed", "ElapsedAccum", "elapsed.min", "train_timestamp", "export_timestamp",
  "runTime")

# What a subtraction leaves of a whole, 0 at times but for rounding: the waterfall's bars, and what
# works at once of a response that is carried over. They are held against the whole.
REMAINDERS <- c("plotWaterfallLoop$start", "plotWaterfallLoop$end", "plot7data$response",
  "plot7data$percentage", "df_caov_pct$response", "df_caov_pct$percentage")

#' Where `ours` is not what `theirs` is: class, names, types, attributes, values.
#'
#' Numbers may differ by `tolerance`, relative; those of `exact` columns, not at all.
#'
#' @param exact names of list elements or columns (drawn hyperparameters) that must be identical.
#' @param skip names of list elements or attributes that are not looked at.
#' @return character, a line a difference; empty where there is none.
differences <- function(ours, theirs, tolerance = 1e-9, exact = character(),
                        skip = character(), at = "") {
  say <- function(...) paste0(at, ": ", ...)
  deeper <- function(a, b, name) {
    if (name %in% skip) return(character())
    if (name %in% CLOCKS) return(clock_difference(a, b, paste0(at, "$", name)))
    if (name %in% exact) tolerance <- 0
    if (paste0(basename(chartr("$", "/", at)), "$", name) %in% REMAINDERS &&
          identical(is.na(a), is.na(b)) &&
          isTRUE(max(abs(a - b), na.rm = TRUE) <= tolerance * max(abs(b), na.rm = TRUE))) {
      return(character())
    }
    differences(a, b, tolerance, exact, skip, paste0(at, "$", name))
  }
  if (typeof(theirs) %in% c("environment", "closure", "externalptr")) return(character())
  found <- if (!identical(class(ours), class(theirs))) {
    say("class ", toString(class(ours)), " for ", toString(class(theirs)))
  }
  if (inherits(theirs, "gg") || is.language(theirs)) return(found)
  if (typeof(ours) != typeof(theirs)) {
    return(c(found, say("type ", typeof(ours), " for ", typeof(theirs))))
  }
  found <- c(found, attribute_differences(ours, theirs, say, deeper))
  if (length(ours) != length(theirs)) {
    return(c(found, say("length ", length(ours), " for ", length(theirs))))
  }
  if (is.list(theirs)) {
    labels <- if (is.null(names(theirs))) seq_along(theirs) else names(theirs)
    parts <- lapply(seq_along(theirs), function(i) {
      deeper(unclass(ours)[[i]], unclass(theirs)[[i]], as.character(labels[i]))
    })
    return(c(found, unlist(parts)))
  }
  c(found, value_difference(unclass(ours), unclass(theirs), tolerance, say))
}

clock_difference <- function(a, b, at) {
  if (identical(class(a), class(b)) && identical(names(a), names(b))) return(character())
  paste0(at, ": other class or names")
}

attribute_differences <- function(ours, theirs, say, deeper) {
  known <- function(x) setdiff(names(attributes(x)), c("class", "row.names", "levels"))
  found <- character()
  if (!setequal(known(ours), known(theirs))) {
    found <- say("attributes ", toString(known(ours)), " for ", toString(known(theirs)))
  }
  if (is.factor(theirs) && !identical(levels(ours), levels(theirs))) {
    found <- c(found, say("other levels"))
  }
  if (!identical(names(ours), names(theirs))) {
    odd <- c(setdiff(names(ours), names(theirs)), setdiff(names(theirs), names(ours)))
    found <- c(found, say("other names or order: ", toString(utils::head(odd, 5))))
  }
  shared <- setdiff(intersect(known(ours), known(theirs)), "names")
  more <- lapply(shared, function(name) deeper(attr(ours, name), attr(theirs, name), name))
  c(found, unlist(more))
}

value_difference <- function(a, b, tolerance, say) {
  if (!is.double(b)) {
    return(if (!identical(as.vector(a), as.vector(b))) say("other values"))
  }
  if (!identical(is.nan(a), is.nan(b)) || !identical(is.na(a), is.na(b))) {
    return(say("other values missing"))
  }
  far <- a != b
  far[is.na(far)] <- FALSE
  if (!any(far)) return(NULL)
  worst <- max(abs(a - b)[far] / pmax(abs(a), abs(b))[far])
  if (is.nan(worst) || worst > tolerance) say("differs by ", format(worst, digits = 3))
}
