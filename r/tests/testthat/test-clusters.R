test_that("clusters, winners and the best model are Robyn's", {
  for (case in names(OUTPUT_CASES)) {
    made <- made_golden(case, OUTPUT_CASES[[case]])
    clusters <- made$ours$collect$clusters
    robyn <- made$robyn$models
    found <- clusters$data[match(robyn$solID, solID)]
    expect_equal(found$cluster, robyn$cluster, info = case)
    expect_identical(found$top_sol, robyn$top_sol, info = case)
    # by_date holds the model that Robyn's scores put first.
    expect_true(made$ours$best_model %in% robyn$solID[robyn$top_sol], info = case)
    expect_identical(unique(made$robyn$allocation$solID), made$ours$best_model, info = case)
  }
})

test_that("intervals are Robyn's bootstrap", {
  for (case in names(OUTPUT_CASES)) {
    made <- made_golden(case, OUTPUT_CASES[[case]])
    robyn <- made$robyn$media
    rows <- match(paste(robyn$solID, robyn$rn), made$ours$parts$agg[, paste(solID, rn)])
    for (column in c("boot_mean", "boot_se", "ci_low", "ci_up")) {
      expect_near(made$ours$parts$agg[[column]][rows], robyn[[column]], paste(case, column))
    }
  }
})

test_that("an interval holds its mean, is not negative and repeats", {
  interval <- bootstrap_interval(c(1, 2, 3, 4), 500)
  expect_lt(interval$ci_low, interval$boot_mean)
  expect_gt(interval$ci_up, interval$boot_mean)
  expect_gte(interval$ci_low, 0)
  expect_identical(interval, bootstrap_interval(c(1, 2, 3, 4), 500))
  alone <- bootstrap_interval(2, 500)
  expect_identical(c(alone$ci_low, alone$ci_up), c(2, 2))
})

test_that("small clusters have no interval", {
  performance <- data.table::data.table(
    solID = c("a", "b", "c", "d"), cluster = c(1L, 1L, 1L, 2L), rn = "tv", value = c(1, 2, Inf, 4)
  )
  expect_identical(cluster_intervals(performance)$cluster, 1L)
})

test_that("few candidates make one cluster, with a warning", {
  hyp <- data.table::data.table(
    solID = c("a", "b", "c"), tv_alphas = c(1, 2, 3), nrmse = c(0.2, 0.1, 0.3),
    nrmse_train = c(0.2, 0.1, 0.3), decomp.rssd = c(0.2, 0.1, 0.3), mape = 0
  )
  expect_warning(clusters <- cluster_models(hyp), "Too few")
  expect_identical(best_model(clusters), "b")
  expect_identical(clusters$k, 1L)
})

test_that("the lower NRMSE decides between equal scores", {
  winners <- data.table::data.table(
    solID = c("a", "b"), cluster = 1:2, error_score = 0.1, nrmse = c(0.3, 0.2)
  )
  expect_identical(best_model(list(models = winners)), "b")
})

test_that("a seeded evaluation leaves the generator as it was", {
  set.seed(5)
  before <- .Random.seed
  with_seed(1, stats::runif(3))
  expect_identical(.Random.seed, before)
})
