# Ridge regression with sign limits: glmnet's numbers, without the cost of its wrapper.
#
# glmnet() spends most of a call around its compiled core. A fit calls the core directly if the core
# gives exactly glmnet()'s results: its arguments must be those listed here, and a probe on the
# run's data must agree to the last bit. Otherwise every fit calls glmnet().

GLMNET_CORE_ARGUMENTS <- c(
  "ka", "parm", "x", "y", "w", "jd", "vp", "cl", "ne", "nx", "nlam", "flmin", "ulam", "thr",
  "isd", "intr", "maxit", "pb", "lmu", "a0", "ca", "ia", "nin", "rsq", "alm", "nlp", "jerr"
)
GLMNET_BIG <- 9.9e35

#' Limits of coefficients for glmnet's core: a row of lower and a row of upper limits, all finite.
#' @noRd
ridge_limits <- function(lower, upper) {
  rbind(pmax(lower, -GLMNET_BIG), pmin(upper, GLMNET_BIG))
}

#' One ridge fit by glmnet().
#'
#' @param x matrix of predictors.
#' @param y response.
#' @param lambda one number.
#' @param limits of the coefficients, see `ridge_limits()`.
#' @param penalty penalty factors.
#' @param intercept TRUE or FALSE.
#' @return numeric: intercept, then a coefficient per column of x.
#' @noRd
ridge_by_glmnet <- function(x, y, lambda, limits, penalty, intercept) {
  if (is.null(colnames(x))) colnames(x) <- paste0("V", seq_len(ncol(x)))
  fit <- glmnet::glmnet(
    x, y, family = "gaussian", alpha = 0, lambda = lambda, lower.limits = limits[1L, ],
    upper.limits = limits[2L, ], penalty.factor = penalty, intercept = intercept
  )
  as.numeric(as.matrix(stats::coef(fit)))
}

#' The compiled core of glmnet as a fit, or NULL if this glmnet has another core.
#'
#' @return function with the arguments and value of `ridge_by_glmnet()`.
#' @noRd
glmnet_core <- function() {
  wrapper <- get0("elnet_exp", envir = asNamespace("glmnet"), inherits = FALSE)
  if (!identical(names(formals(wrapper)), GLMNET_CORE_ARGUMENTS)) return(NULL)
  core <- tryCatch(getNativeSymbolInfo("_glmnet_elnet_exp", "glmnet"), error = function(e) NULL)
  if (is.null(core)) return(NULL)
  function(x, y, lambda, limits, penalty, intercept) {
    p <- ncol(x)
    most <- as.integer(min((p + 1) * 2 + 20, p))
    fit <- .Call(
      core, 1L, 0, x, y, rep(1, length(y)), 0L, penalty, limits, p + 1L, most, 1L, 1, lambda,
      1e-7, 1L, as.integer(intercept), 100000L, NULL, integer(1), double(1),
      matrix(0, most, 1L), integer(most), integer(1), double(1), double(1), integer(1), integer(1)
    )
    if (fit$jerr != 0) {
      return(ridge_by_glmnet(x, y, lambda, limits, penalty, intercept))
    }
    out <- numeric(p + 1L)
    out[1] <- fit$a0[1]
    active <- fit$nin[1]
    if (active > 0) out[fit$ia[seq_len(active)] + 1L] <- fit$ca[seq_len(active)]
    out
  }
}

#' The fastest fit that gives glmnet()'s numbers, verified on the run's data.
#'
#' @param x,y,limits,penalty a fit of the run to compare.
#' @param lambdas penalties to try.
#' @return `glmnet_core()`'s function, or `ridge_by_glmnet`.
#' @noRd
ridge_fitter <- function(x, y, limits, penalty, lambdas) {
  fast <- glmnet_core()
  if (is.null(fast)) return(ridge_by_glmnet)
  for (lambda in lambdas) {
    for (intercept in c(TRUE, FALSE)) {
      same <- identical(
        fast(x, y, lambda, limits, penalty, intercept),
        ridge_by_glmnet(x, y, lambda, limits, penalty, intercept)
      )
      if (!same) return(ridge_by_glmnet)
    }
  }
  fast
}

#' Maximum penalty of the search: a tenth of glmnet's lambda_max on the whole modelling table.
#'
#' @param x data frame or matrix of predictors.
#' @param y response.
#' @noRd
greatest_lambda <- function(x, y) {
  x <- as.matrix(x)
  deviation <- function(v) sqrt(sum((v - mean(v))^2) / length(v))
  scaled <- scale(x, scale = apply(x, 2, deviation))
  scaled[, apply(scaled, 2, function(column) all(is.nan(column)))] <- 0
  greatest <- max(abs(colSums(scaled * y))) / (0.001 * nrow(x))
  exp(log(greatest)) * 0.1
}
