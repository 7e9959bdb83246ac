# Clusters of similar candidates, the best model of each cluster, and an interval from the cluster.
# Rules, order of draws and seed are those of robyn_clusters and of lares' clusterKmeans.

#' Cluster candidates by their hyperparameters.
#'
#' @param hyp data.table of the candidates, in the order of the search.
#' @return list(data, models, k, wss): data has solID, cluster, error_score, top_sol; models the
#'   best of each cluster; wss the within-group sums of squares for 1, 2, ... groups.
#' @noRd
cluster_models <- function(hyp, max_clusters = 10, min_clusters = 3, wss_var = 0.06, seed = 123) {
  parameters <- cluster_columns(hyp)
  distinct <- !duplicated(parameters)
  hyp <- hyp[distinct]
  x <- as.data.frame(parameters)[distinct, , drop = FALSE]
  fit <- if (!is.null(hyp$nrmse_test) && !anyNA(hyp$nrmse_test)) hyp$nrmse_test else hyp$nrmse_train
  score <- error_score(fit, hyp$decomp.rssd, hyp$mape)
  limit <- min(nrow(x) - 1, 30)
  if (limit < min_clusters + 1) {
    warning("Too few candidates to cluster: they are one cluster.", call. = FALSE)
    groups <- list(cluster = rep(1L, nrow(x)), k = 1L, wss = NA_real_)
  } else {
    groups <- with_seed(seed, kmeans_groups(x, limit, min_clusters, max_clusters, wss_var))
  }
  data <- data.table::data.table(
    solID = hyp$solID, cluster = groups$cluster, error_score = score, nrmse = hyp$nrmse
  )
  models <- data[order(cluster, error_score), .SD[1], by = "cluster"]
  data[, top_sol := solID %in% models$solID]
  list(data = data[], models = models[], k = groups$k, wss = groups$wss)
}

#' Hyperparameters by kind, each scaled to 0..1, columns in Robyn's order.
#' @noRd
cluster_columns <- function(hyp) {
  kinds <- c("thetas", "shapes", "scales", "alphas", "gammas", "penalty")
  columns <- unique(unlist(lapply(kinds, grep, names(hyp), value = TRUE)))
  scaled <- lapply(hyp[, columns, with = FALSE], function(v) {
    if (length(unique(v)) == 1) rep(1, length(v)) else (v - min(v)) / (max(v) - min(v))
  })
  data.table::as.data.table(scaled)
}

#' k-means for 2..limit groups, then for the last k that lowers the sum of squares by `wss_var`.
#' @noRd
kmeans_groups <- function(x, limit, min_clusters, max_clusters, wss_var) {
  wss <- sum(apply(x, 2, stats::var)) * (nrow(x) - 1)
  for (i in 2:limit) {
    wss[i] <- suppressWarnings(sum(stats::kmeans(x, centers = i)$withinss))
  }
  gain <- c(NA, -diff(wss / wss[1]))
  k <- max(which(gain > wss_var), min_clusters)
  k <- min(k, max_clusters, limit)
  groups <- suppressWarnings(stats::kmeans(x, k, iter.max = limit))
  list(cluster = unname(groups$cluster), k = k, wss = wss)
}

#' Bootstrap interval of a channel's ROAS or CPA among the models of its cluster.
#'
#' It measures how much similar models agree, not how certain the data is.
#'
#' @param performance data.table solID, cluster, rn, value; infinite values are left out.
#' @param level of the interval; Robyn's is 0.95.
#' @param floor minimum of the interval's lower end.
#' @return data.table cluster, rn, boot_mean, boot_se, ci_low, ci_up; clusters of fewer than
#'   three models have none.
#' @noRd
cluster_intervals <- function(performance, level = 0.95, floor = 0, boot_n = 1000) {
  large <- performance[, list(n = data.table::uniqueN(solID)), by = "cluster"][n >= 3, cluster]
  performance[cluster %in% large & is.finite(value),
    bootstrap_interval(value, boot_n, level, floor), by = c("cluster", "rn")]
}

bootstrap_interval <- function(values, boot_n, level = 0.95, floor = 0, seed = 1) {
  n <- length(values)
  if (n == 1) {
    return(list(boot_mean = values, boot_se = 0, ci_low = max(values, floor), ci_up = values))
  }
  draws <- with_seed(seed, sample(values, n * boot_n, replace = TRUE))
  means <- rowMeans(matrix(draws, nrow = boot_n))
  se <- stats::sd(means)
  reach <- stats::qt((1 + level) / 2, n - 1) * se * sqrt(n)
  list(
    boot_mean = mean(means), boot_se = se,
    ci_low = max(mean(values) - reach, floor), ci_up = mean(values) + reach
  )
}

#' Evaluate `code` with the random numbers of `seed`, then restore the generator.
#' @noRd
with_seed <- function(seed, code) {
  before <- get0(".Random.seed", envir = globalenv(), inherits = FALSE)
  on.exit(if (is.null(before)) rm(".Random.seed", envir = globalenv())
    else assign(".Random.seed", before, envir = globalenv())) # nolint: object_name_linter.
  set.seed(seed)
  code
}

#' The best of the cluster winners: lowest error score, then lowest NRMSE.
#' @noRd
best_model <- function(clusters) {
  winners <- clusters$models
  winners$solID[order(winners$error_score, winners$nrmse)][1]
}
