# How sure the figures are: intervals of ROAS (CPA for conversions) and of contribution shares.
#
# Three ways, `intervals_method`: `cluster` is Robyn's, among the models of a cluster (clusters.R);
# `bootstrap` fits the chosen model again to resampled periods; `none`.

#' Intervals of the models by the configured method.
#'
#' @param agg aggregate_decomposition() result.
#' @param row the chosen model's row of resultHypParam.
#' @return list(method, level, draws, block (periods), table): draws and block NULL but for
#'   bootstrap; table: data.table solID, rn, mean, low, high (of ROAS or CPA), share_low,
#'   share_high; for bootstrap of the chosen model alone.
#' @noRd
model_intervals <- function(inputs, cfg, agg, row) {
  method <- cfg$intervals_method
  level <- cfg$intervals_level
  conversion <- inputs$dep_var_type == "conversion"
  if (method == "none") return(list(method = method, table = no_intervals()))
  if (method == "cluster") {
    return(list(method = method, level = level, table = cluster_table(agg, conversion, level)))
  }
  model <- refit_model(inputs, cfg, row)
  block <- cfg$intervals_block %||% block_length(length(model$train))
  if (block > length(model$train)) {
    warning(sprintf(
      "`outputs.intervals.block` is %d; the model was fitted to %d periods, which are one block.",
      block, length(model$train)
    ), call. = FALSE)
    block <- length(model$train)
  }
  draws <- cfg$intervals_draws
  totals <- bootstrap_totals(model, draws, block, cfg$seed)
  own <- agg[solID == row$solID]
  spend <- own$total_spend[match(c("(Intercept)", model$problem$predictors), own$rn)]
  list(
    method = method, level = level, draws = draws, block = block,
    table = bootstrap_table(totals, model, spend, row$solID, conversion, level)
  )
}

no_intervals <- function() {
  data.table::data.table(
    solID = character(), rn = character(), mean = numeric(), low = numeric(), high = numeric(),
    share_low = numeric(), share_high = numeric()
  )
}

#' Periods of a block: the cube root of the number of periods, the best order for a variance (Hall,
#' Horowitz and Jing 1995).
#' @noRd
block_length <- function(periods) as.integer(ceiling(periods^(1 / 3)))

#' Rows of resampled series: blocks of adjoining rows from random starts, the end joined to the
#' start (Politis and Romano's circular block bootstrap, 1992).
#'
#' @return matrix rows x draws of 1..rows.
#' @noRd
block_rows <- function(rows, block, draws) {
  blocks <- ceiling(rows / block)
  starts <- matrix(sample.int(rows, blocks * draws, replace = TRUE), blocks)
  index <- starts[rep(seq_len(blocks), each = block), , drop = FALSE] + seq_len(block) - 1L
  (index[seq_len(rows), , drop = FALSE] - 1L) %% rows + 1L
}

#' What intercept and predictors add up to over the window, in models fitted to resampled periods.
#'
#' A period goes with its target and all its variables, media after adstock and saturation, so that
#' neither equal variances nor independence from period to period is assumed, and a refit is
#' shrunk as much as the model is.
#'
#' @param model refit_model() result.
#' @return matrix (intercept, predictors) x draws.
#' @noRd
bootstrap_totals <- function(model, draws, block, seed) {
  rows <- with_seed(seed, block_rows(length(model$train), block, draws))
  coefficients <- vapply(seq_len(draws), function(d) {
    model$fit(model$train[rows[, d]])
  }, numeric(ncol(model$x) + 1))
  coefficients * c(nrow(model$x), colSums(model$x))
}

#' Percentiles of the draws.
#'
#' @param totals bootstrap_totals() result.
#' @param spend by row of it, NA where there is none.
#' @noRd
bootstrap_table <- function(totals, model, spend, id, conversion, level) {
  tails <- c((1 - level) / 2, (1 + level) / 2)
  percentiles <- function(x) t(apply(x, 1, stats::quantile, tails, names = FALSE))
  roas <- percentiles(totals) / spend
  mean <- rowMeans(totals) / spend
  if (conversion) {
    # Where some refits find no effect a conversion has no highest price.
    roas <- 1 / ifelse(roas > 0, roas, NA)[, 2:1, drop = FALSE]
    mean <- rowMeans(spend / totals)
  }
  share <- percentiles(totals / rep(colSums(totals), each = nrow(totals)))
  data.table::data.table(
    solID = id, rn = c("(Intercept)", model$problem$predictors), mean = finite(mean),
    low = roas[, 1], high = roas[, 2], share_low = share[, 1], share_high = share[, 2]
  )
}

#' Robyn's cluster intervals of all candidates; those of shares by the same rule.
#' @noRd
cluster_table <- function(agg, conversion, level) {
  measure <- agg[[if (conversion) "cpa_total" else "roi_total"]]
  own <- function(value, floor) {
    rows <- agg[, list(solID, cluster, rn)][, value := value][!is.na(cluster) & !is.na(value)]
    found <- cluster_intervals(rows, level = level, floor = floor)
    found[match(paste(agg$cluster, agg$rn), paste(found$cluster, found$rn))]
  }
  performance <- own(ifelse(is.na(agg$total_spend), NA, measure), 0)
  share <- own(agg$xDecompPerc, -Inf)
  data.table::data.table(
    solID = agg$solID, rn = agg$rn, mean = performance$boot_mean, low = performance$ci_low,
    high = performance$ci_up, share_low = share$ci_low, share_high = share$ci_up
  )
}
