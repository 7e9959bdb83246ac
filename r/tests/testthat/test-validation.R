known_model <- function(noise = 0, rows = 60) {
  with_seed(1, {
    x <- matrix(stats::rnorm(rows * 2), rows)
    y <- 5 + x %*% c(2, -1) + noise * stats::rnorm(rows)
  })
  y <- as.vector(y)
  fit <- function(rows, of = y[rows]) unname(stats::lm.fit(cbind(1, x[rows, ]), of)$coefficients)
  list(x = x, y = y, train = seq_len(rows), fit = fit)
}
weeks <- function(n) as.Date("2024-01-01") + 7 * (seq_len(n) - 1)

test_that("cuts follow each other and the last fold ends with the window", {
  expect_identical(fold_cuts(100, 3, 10), c(70L, 80L, 90L))
  expect_identical(fold_cuts(100, 9, 10), c(50L, 60L, 70L, 80L, 90L))
})

test_that("a model that is right predicts without error", {
  found <- rolling_validation(known_model(), weeks(60), 3, 5)
  expect_identical(found$folds, 3L)
  expect_equal(found$mean, list(rsq = 1, nrmse = 0, mape = 0), tolerance = 1e-10)
  expect_identical(vapply(found$by_fold, `[[`, "", "end")[3], format(weeks(60)[60]))
})

test_that("a fold is fitted to nothing but the periods before its cut", {
  model <- known_model(noise = 1)
  fold <- rolling_validation(model, weeks(60), 2, 6)$by_fold[[1]]
  data <- data.frame(y = model$y, a = model$x[, 1], b = model$x[, 2])
  predicted <- stats::predict(stats::lm(y ~ a + b, data[1:48, ]), data[49:54, ])
  actual <- model$y[49:54]
  expect_identical(fold$train_periods, 48L)
  expect_equal(fold$rsq, 1 - sum((actual - predicted)^2) / sum((actual - mean(actual))^2))
  expect_equal(fold$mape, mean(abs(actual - predicted) / abs(actual)))
})

test_that("what is undefined is missing, and half of the window stays to fit", {
  expect_identical(prediction_errors(c(0, 0), c(1, 1)),
    list(rsq = NA_real_, nrmse = NA_real_, mape = NA_real_))
  expect_warning(found <- rolling_validation(known_model(), weeks(60), 5, 10), "3 of 5 folds")
  expect_length(found$by_fold, 3)
  expect_warning(expect_null(rolling_validation(known_model(), weeks(60), 1, 40)), "0 of 1")
})

test_that("the chosen model of a market is validated", {
  made <- made_market()
  cfg <- made$cfg
  cfg$validation_folds <- 4L
  cfg$validation_horizon <- 8L
  row <- made$outputs$parts$ranked$hyp[solID == made$outputs$best_model]
  found <- examine_model(made$inputs, cfg, row)$validation
  expect_identical(vapply(found$by_fold, `[[`, 0L, "train_periods"), c(124L, 132L, 140L, 148L))
  expect_gt(found$mean$rsq, 0.5)
  expect_lt(found$mean$mape, 0.1)
})

test_that("folds are those of glmnet() on media that were transformed by hand", {
  made <- made_market()
  cfg <- made$cfg
  cfg$validation_folds <- 3L
  cfg$validation_horizon <- 7L
  row <- made$outputs$parts$ranked$hyp[solID == made$outputs$best_model]
  inputs <- made$inputs
  table <- as.data.frame(inputs$dt_mod)
  window <- inputs$rollingWindowStartWhich:inputs$rollingWindowEndWhich
  for (medium in inputs$all_media) {
    x <- table[[medium]]
    carried <- Reduce(
      function(before, now) now + before * row[[paste0(medium, "_thetas")]], x, accumulate = TRUE
    )[window]
    alpha <- row[[paste0(medium, "_alphas")]]
    gamma <- row[[paste0(medium, "_gammas")]] * max(carried)
    table[window, medium] <- 1 / (1 + (gamma / carried)^alpha)
  }
  x <- as.matrix(table[window, setdiff(names(table), c("ds", "dep_var"))])
  y <- table$dep_var[window]
  prophet <- colnames(x) %in% inputs$prophet_vars
  media <- colnames(x) %in% inputs$all_media
  found <- examine_model(inputs, cfg, row)$validation$by_fold
  for (fold in 1:3) {
    cut <- length(y) - 7L * (4L - fold)
    fit <- function(intercept) {
      model <- glmnet::glmnet(
        x[seq_len(cut), ], y[seq_len(cut)], alpha = 0, lambda = row$lambda, intercept = intercept,
        lower.limits = ifelse(prophet | media, 0, -Inf), upper.limits = ifelse(prophet, 1, Inf)
      )
      model
    }
    model <- fit(TRUE)
    if (model$a0 < 0) model <- fit(FALSE)
    actual <- y[cut + 1:7]
    off <- actual - as.vector(stats::predict(model, x[cut + 1:7, ]))
    expect_equal(found[[fold]]$train_periods, cut)
    expect_equal(found[[fold]]$rsq, 1 - sum(off^2) / sum((actual - mean(actual))^2))
    expect_equal(found[[fold]]$nrmse, sqrt(mean(off^2)) / diff(range(actual)))
    expect_equal(found[[fold]]$mape, mean(abs(off) / actual))
  }
})
