# Convergence of the objectives, by Robyn's rule, in numbers.
#
# The rule cuts the iterations of all trials into 20 quantiles. An objective has converged if, in
# the last quantile, its standard deviation is below the mean of the first three and its median is
# more than two such deviations below the first median.

#' Judge whether the search converged.
#'
#' @param trials list of trials, each with resultCollect$resultHypParam.
#' @param cuts number of quantiles.
#' @param reference number of first quantiles that the last one is compared with.
#' @param deviations number of deviations by which the median must fall.
#' @return list: errors (data frame with a row per objective and quantile: n, median, std, and the
#'   figures and flags of the rule), conv_msg (a sentence per objective), converged (named logical).
#' @noRd
converge <- function(trials, cuts = 20, reference = 3, deviations = 2) {
  series <- lapply(trials, function(trial) {
    table <- as.data.frame(trial$resultCollect$resultHypParam)
    as.list(table[order(table$ElapsedAccum), OBJECTIVES])
  })
  converge_series(series, cuts, reference, deviations)
}

# The columns of resultHypParam that a search minimises, in the order of Robyn's sentences.
OBJECTIVES <- c("decomp.rssd", "mape", "nrmse")

#' Judge the convergence of series of errors.
#'
#' @param series list of trials, each a list by objective of numeric, in the order of the search.
#' @noRd
converge_series <- function(series, cuts = 20, reference = 3, deviations = 2) {
  objectives <- intersect(OBJECTIVES, unlist(lapply(series, names)))
  long <- do.call(rbind, lapply(objectives, function(objective) {
    do.call(rbind, lapply(series, function(trial) {
      values <- trial[[objective]]
      values <- values[is.finite(values) & values > 0]
      if (!length(values)) return(NULL)
      data.frame(error_type = toupper(objective), value = values, iter = seq_along(values))
    }))
  }))
  if (is.null(long)) return(list(errors = NULL, conv_msg = NULL, converged = NULL))
  last <- max(long$iter)
  long$cuts <- cut(
    long$iter, breaks = seq(0, last, length.out = cuts + 1), include.lowest = TRUE,
    labels = round(seq(last / cuts, last, length.out = cuts)), ordered_result = TRUE, dig.lab = 6
  )
  errors <- do.call(rbind, lapply(split(long, long$error_type), quantile_errors,
    reference = reference, deviations = deviations))
  rownames(errors) <- NULL
  final <- errors[!duplicated(errors$error_type, fromLast = TRUE), ]
  converged <- stats::setNames(
    (final$flag_sd & final$flag_med) %in% TRUE, final$error_type
  )
  messages <- convergence_messages(final, converged, cuts)
  list(errors = errors, conv_msg = messages, converged = converged)
}

# The figures of one objective, a row per quantile.
quantile_errors <- function(long, reference, deviations) {
  groups <- split(long$value, long$cuts, drop = TRUE)
  middle <- unname(vapply(groups, stats::median, 0))
  spread <- unname(vapply(groups, stats::sd, 0))
  first_spread <- mean(spread[seq_len(reference)])
  threshold <- abs(abs(middle[1]) - deviations * first_spread)
  data.frame(
    error_type = long$error_type[1],
    cuts = factor(names(groups), levels(long$cuts), ordered = TRUE),
    n = lengths(groups, use.names = FALSE), median = middle, std = spread,
    med_var_P = abs(round(100 * (middle - c(NA, middle[-length(middle)])) / middle, 2)),
    first_med = abs(middle[1]), first_med_avg = abs(mean(middle[seq_len(reference)])),
    last_med = abs(middle[length(middle)]), first_sd = spread[1], first_sd_avg = first_spread,
    last_sd = spread[length(spread)], med_thres = threshold,
    flag_med = abs(middle) < threshold, flag_sd = spread < first_spread
  )
}

convergence_messages <- function(final, converged, cuts) {
  sign <- function(flag) ifelse(flag %in% TRUE, "<=", ">")
  short <- function(x) vapply(signif(x, 2), format, "", trim = TRUE)
  sprintf(
    "%s %sconverged: sd@qt.%d %s %s %s & |med@qt.%d| %s %s %s",
    final$error_type, ifelse(converged, "", "NOT "), cuts, short(final$last_sd),
    sign(final$flag_sd), short(final$first_sd_avg), cuts, short(final$last_med),
    sign(final$flag_med), short(final$med_thres)
  )
}
