# Intervals of ROAS (CPA for conversions) and of contribution shares.
#
# `intervals_method` is one of three: `cluster` is Robyn's, among the models of a cluster
# (clusters.R); `bootstrap` refits the chosen model to resampled periods; `none`.

#' Intervals of the models by the configured method.
#'
#' @param agg aggregate_decomposition() result.
#' @param row the chosen model's row of resultHypParam.
#' @return list(method, level, draws, block (periods), table): draws and block for bootstrap only;
#'   table: data.table solID, rn, mean, low, high (of ROAS or CPA), share_low, share_high; bootstrap
#'   has the chosen model only.
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
      "`outputs.intervals.block` is %d, but the fit has %d periods; all of them are one block.",
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

#' Periods of a block: the cube root of the number of periods, which is the optimal order for a
#' variance (Hall, Horowitz and Jing 1995).
#' @noRd
block_length <- function(periods) as.integer(ceiling(periods^(1 / 3)))

#' Rows of resampled series: blocks of adjacent rows from random starts, where the first row follows
#' the last one (circular block bootstrap, Politis and Romano 1992).
#'
#' @return matrix rows x draws of 1..rows.
#' @noRd
block_rows <- function(rows, block, draws) {
  blocks <- ceiling(rows / block)
  starts <- matrix(sample.int(rows, blocks * draws, replace = TRUE), blocks)
  index <- starts[rep(seq_len(blocks), each = block), , drop = FALSE] + seq_len(block) - 1L
  (index[seq_len(rows), , drop = FALSE] - 1L) %% rows + 1L
}

#' Contributions of intercept and predictors over the window, in models fitted to resampled periods.
#'
#' A draw takes a period's target together with all its variables (media after adstock and
#' saturation). So it assumes neither equal variances nor independent periods, and the ridge penalty
#' shrinks a refit as much as the model.
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
#' @param spend one entry per row of `totals`; NA for variables without spend.
#' @noRd
bootstrap_table <- function(totals, model, spend, id, conversion, level) {
  tails <- c((1 - level) / 2, (1 + level) / 2)
  percentiles <- function(x) t(apply(x, 1, stats::quantile, tails, names = FALSE))
  roas <- percentiles(totals) / spend
  mean <- rowMeans(totals) / spend
  if (conversion) {
    # If some refits find no effect, the price of a conversion has no upper end.
    roas <- 1 / ifelse(roas > 0, roas, NA)[, 2:1, drop = FALSE]
    mean <- rowMeans(spend / totals)
  }
  share <- percentiles(totals / rep(colSums(totals), each = nrow(totals)))
  data.table::data.table(
    solID = id, rn = c("(Intercept)", model$problem$predictors), mean = finite(mean),
    low = roas[, 1], high = roas[, 2], share_low = share[, 1], share_high = share[, 2]
  )
}

#' Robyn's cluster intervals of all candidates, and intervals of shares by the same rule.
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
  # The lower ends of ROAS and share of a paid channel are 0 together.
  paid <- which(!is.na(agg$total_spend) & share$ci_up > 0)
  share_low <- replace(share$ci_low, paid, pmax(share$ci_low[paid], 0))
  data.table::data.table(
    solID = agg$solID, rn = agg$rn, mean = performance$boot_mean, low = performance$ci_low,
    high = performance$ci_up, share_low = share_low, share_high = share$ci_up
  )
}
