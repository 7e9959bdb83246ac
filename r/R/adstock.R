# Adstock: how the effect of a period's media carries over to later periods.
#
# Same numbers as Robyn's adstock_geometric() and adstock_weibull(), without the n x n tables.

ADSTOCKS <- c("geometric", "weibull_cdf", "weibull_pdf")

# R's own compiled recursive filter; stats::filter() spends most of its time around it. It is an
# address in memory, so each R process looks it up when it loads the package.
recursive_filter <- NULL

.onLoad <- function(libname, pkgname) {
  recursive_filter <<- get("C_rfilter", envir = asNamespace("stats"))
}

#' Geometric adstock: decayed[t] = x[t] + theta * decayed[t - 1].
#'
#' @param x media per period, numeric.
#' @param theta share carried over, 0 <= theta < 1.
#' @return numeric, as long as x.
#' @noRd
geometric_adstock <- function(x, theta) {
  .Call(recursive_filter, x, theta, c(0, x))[-1L]
}

#' Weibull adstock: a Weibull curve spreads the effect of a period over the following periods.
#'
#' @param x media per period, numeric.
#' @param shape,scale of the Weibull distribution; scale is a
#'   share of the length of x.
#' @param type "cdf" (survival, carried on cumulatively) or "pdf"
#'   (density scaled to 0..1, which can lag).
#' @return numeric, as long as x.
#' @noRd
weibull_adstock <- function(x, shape, scale, type) {
  n <- length(x)
  if (n < 2 || shape == 0 || scale == 0) return(x)
  weights <- weibull_weights(n, shape, scale, type)
  weights <- weights[seq_len(max(which(weights > 0)))]
  lag <- length(weights) - 1L
  as.numeric(stats::filter(c(numeric(lag), x), weights, sides = 1))[lag + seq_len(n)]
}

#' `weibull_adstock()` at some periods, equal to Robyn's to the last bit.
#'
#' Sums the oldest period first and in extended precision; the compiled filter rounds each sum.
#'
#' @inheritParams weibull_adstock
#' @param rows periods to compute.
#' @noRd
weibull_exactly <- function(x, shape, scale, type, rows = seq_along(x)) {
  n <- length(x)
  if (n < 2 || shape == 0 || scale == 0) return(x[rows])
  weights <- weibull_weights(n, shape, scale, type)
  last <- max(which(weights > 0))
  vapply(rows, function(t) {
    first <- max(1L, t - last + 1L)
    sum(x[first:t] * weights[(t - first + 1L):1])
  }, 0)
}

#' Effect of one unit in its own period and in the n - 1 that follow.
#'
#' @inheritParams weibull_adstock
#' @noRd
weibull_weights <- function(n, shape, scale, type) {
  periods <- seq_len(n)
  scale <- round(sequence_quantile(n, scale), 0)
  if (type == "cdf") {
    return(cumprod(c(1, 1 - stats::pweibull(periods[-n], shape = shape, scale = scale))))
  }
  density <- stats::dweibull(periods, shape = shape, scale = scale)
  range <- range(density)
  if (range[2] == range[1]) return(c(1, numeric(n - 1)))
  (density - range[1]) / (range[2] - range[1])
}

#' `stats::quantile(seq_len(n), p)`, to the last bit.
#' @noRd
sequence_quantile <- function(n, p) {
  index <- 1 + (n - 1) * p
  low <- floor(index)
  part <- index - low
  if (part > 0) (1 - part) * low + part * (low + 1) else low
}

#' Adstock of one medium.
#'
#' @param x media per period.
#' @param adstock one of ADSTOCKS.
#' @param theta for geometric.
#' @param shape,scale for Weibull.
#' @noRd
adstock_media <- function(x, adstock, theta = NULL, shape = NULL, scale = NULL) {
  if (adstock == "geometric") return(geometric_adstock(x, theta))
  weibull_adstock(x, shape, scale, sub("weibull_", "", adstock))
}
