peel <- function(x, y) {
  # Robyn's pareto_front(): take the front, remove it, again.
  rest <- data.frame(x, y, id = seq_along(x))
  rest <- rest[order(rest$x, rest$y), ]
  front <- integer(length(x))
  i <- 1L
  while (nrow(rest)) {
    these <- !duplicated(cummin(rest$y))
    front[rest$id[these]] <- i
    rest <- rest[!these, ]
    i <- i + 1L
  }
  front
}

test_that("fronts are those of peeling one after the other", {
  for (seed in 1:5) {
    with_seed(seed, {
      x <- stats::runif(300)
      y <- stats::runif(300)
    })
    expect_identical(as.integer(pareto_fronts(x, y)), peel(x, y))
  }
  expect_identical(pareto_fronts(numeric(), numeric()), integer())
  expect_error(pareto_fronts(1:2, 1))
})

test_that("equal points share the lower front, equal x or y do not", {
  expect_equal(pareto_fronts(c(1, 1, 2), c(1, 1, 0.5)), c(1, 1, 1))
  expect_equal(pareto_fronts(c(1, 1), c(1, 2)), c(1, 2))
  expect_equal(pareto_fronts(c(1, 2), c(1, 1)), c(1, 2))
})

test_that("error scores are distances of errors scaled to 0..1", {
  expect_equal(error_score(c(0, 1), c(0, 2), c(0, 0)), c(0, sqrt(2) / 3))
  expect_equal(error_score(c(0, 1), c(0, 2), c(0, 3)), c(0, sqrt(3) / 3))
  # An infinite error counts as one, which is Robyn's rule.
  expect_equal(error_score(c(0.5, 1), c(0.5, Inf), c(0, 0)), c(0, sqrt(2) / 3))
})

test_that("as many fronts are taken as hold enough candidates", {
  front <- c(1, 1, 2, 2, 2, 3, NA)
  auto <- function(n) list(pareto_fronts = "auto", min_candidates = n)
  expect_equal(count_fronts(front, auto(2)), 1)
  expect_equal(count_fronts(front, auto(3)), 2)
  expect_equal(count_fronts(front, list(pareto_fronts = 2)), 2)
  expect_warning(all <- count_fronts(front, auto(7)), "Only 6 models")
  expect_equal(all, 3)
})

test_that("candidates, fronts and error scores are Robyn's", {
  for (case in names(OUTPUT_CASES)) {
    made <- made_golden(case, OUTPUT_CASES[[case]])
    ours <- made$ours$parts$ranked$hyp[candidate == TRUE]
    robyn <- made$robyn$models
    expect_identical(ours$solID, robyn$solID, info = case)
    expect_equal(ours$robynPareto, robyn$robynPareto, info = case)
    expect_near(ours$error_score, robyn$error_score, case)
  }
})

test_that("models beyond the best by lift are not ranked", {
  made <- made_market()
  trials <- collect_trials(made$models)
  trials$hyp[, mape := seq(0, 1, length.out = .N)]
  cfg <- made$cfg
  cfg$min_candidates <- 5
  ranked <- rank_models(trials, made$inputs, cfg)$hyp
  expect_true(all(is.na(ranked[mape > 0.11]$robynPareto)))
  expect_gt(sum(ranked$candidate), 4)
})
