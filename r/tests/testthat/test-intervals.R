chosen_intervals <- function(...) {
  made <- made_market()
  cfg <- made$cfg
  changed <- list(...)
  cfg[names(changed)] <- changed
  row <- made$outputs$parts$ranked$hyp[solID == made$outputs$best_model]
  model_intervals(made$inputs, cfg, made$outputs$parts$agg, row)
}

#' A model that can be fitted again: a trend, a season and two media of known effect.
linear_model <- function(seed, rho = 0, rows = 120, of = NULL) {
  x <- with_seed(99, cbind(
    seq_len(rows) / rows, sin(seq_len(rows) / 8), stats::runif(rows), stats::runif(rows)
  ))
  truth <- c(20, 2, 1, 3, 2)
  noise <- with_seed(seed, stats::rnorm(rows + 20))
  if (rho > 0) noise <- stats::filter(noise, rho, "recursive") * sqrt(1 - rho^2)
  y <- truth[1] + as.vector(x %*% truth[-1]) + utils::tail(as.numeric(noise), rows) / 2
  list(
    x = x, y = y, train = seq_len(rows), truth = truth * c(rows, colSums(x)),
    fit = function(rows) unname(stats::.lm.fit(cbind(1, x[rows, ]), y[rows])$coefficients)
  )
}

test_that("resampled rows are whole blocks that may go round the end", {
  rows <- with_seed(1, block_rows(10L, 4L, 50L))
  expect_identical(dim(rows), c(10L, 50L))
  expect_true(all(rows %in% 1:10))
  follows <- rows[-1, ] == rows[-10, ] %% 10L + 1L
  expect_true(all(follows[-c(4, 8), ]))
  expect_false(all(follows[c(4, 8), ]))
  # Every row is as likely as any other.
  many <- with_seed(1, tabulate(block_rows(10L, 4L, 20000L), 10))
  expect_lt(diff(range(many)) / mean(many), 0.05)
  expect_identical(block_length(c(156, 1096)), c(6L, 11L))
})

test_that("totals are those of refits to the resampled rows, by plain arithmetic", {
  model <- linear_model(1)
  totals <- bootstrap_totals(model, 30L, 5L, seed = 3)
  rows <- with_seed(3, block_rows(120L, 5L, 30L))
  for (d in c(1, 30)) {
    data <- data.frame(y = model$y, model$x)[rows[, d], ]
    expect_equal(totals[, d], unname(stats::coef(stats::lm(y ~ ., data))) *
      c(120, colSums(model$x)))
  }
  expect_identical(bootstrap_totals(model, 30L, 5L, seed = 3), totals)
  expect_false(identical(bootstrap_totals(model, 30L, 5L, seed = 4), totals))
})

test_that("intervals cover a known truth nearly as often as they say, blocks where noise lasts", {
  covered <- function(rho, block) {
    mean(vapply(seq_len(150), function(seed) {
      model <- linear_model(seed, rho)
      ends <- apply(bootstrap_totals(model, 150L, block, seed), 1, stats::quantile, c(0.05, 0.95))
      mean(ends[1, ] <= model$truth & model$truth <= ends[2, ])
    }, 0))
  }
  expect_gt(covered(0, block_length(120)), 0.82)
  expect_lt(covered(0, block_length(120)), 0.95)
  # Lasting noise: single periods as blocks are too sure by far.
  expect_gt(covered(0.7, block_length(120)), covered(0.7, 1L) + 0.05)
})

test_that("percentiles become ROAS, CPA and shares", {
  totals <- rbind(rep(50, 5), c(8, 9, 10, 11, 12), c(0, 1, 2, 3, 4))
  model <- list(problem = list(predictors = c("tv", "radio")))
  ends <- function(conversion) {
    bootstrap_table(totals, model, c(NA, 2, 4), "m", conversion, level = 0.5)
  }
  roas <- ends(FALSE)
  expect_identical(roas$rn, c("(Intercept)", "tv", "radio"))
  expect_equal(roas$low, c(NA, 4.5, 0.25))
  expect_equal(roas$high, c(NA, 5.5, 0.75))
  expect_equal(roas$mean, c(NA, 5, 0.5))
  expect_equal(roas$share_low[2], 9 / 60)
  cpa <- ends(TRUE)
  expect_equal(cpa$low, 1 / roas$high)
  expect_equal(cpa$high, 1 / roas$low)
  none <- bootstrap_table(totals * c(1, 0, 0), model, c(NA, 2, 4), "m", TRUE, 0.5)
  expect_true(all(is.na(none$low)) && all(is.na(none$high)))
})

test_that("the chosen model of a market has intervals around its figures, and nobody else", {
  found <- chosen_intervals(intervals_method = "bootstrap", intervals_draws = 200L)
  made <- made_market()
  table <- found$table
  own <- made$outputs$tables$decomposition[is_best_model == TRUE]
  expect_identical(unique(table$solID), made$outputs$best_model)
  expect_identical(table$rn[-1], made$inputs$all_ind_vars)
  expect_true(all(table$share_low <= own$contribution_share))
  expect_true(all(own$contribution_share <= table$share_high))
  paid <- own$kind == "paid_media"
  expect_true(all(table$low[paid] < own$roas[paid] & own$roas[paid] < table$high[paid]))
  expect_true(all(is.na(table$low[!paid])))
  expect_identical(found[c("method", "level", "draws", "block")],
    list(method = "bootstrap", level = 0.95, draws = 200L, block = 6L))
  # A lower level is a narrower interval; the seed of the run is that of the draws.
  narrow <- chosen_intervals(
    intervals_method = "bootstrap", intervals_draws = 200L, intervals_level = 0.5
  )$table
  expect_true(all(narrow$high[paid] - narrow$low[paid] < table$high[paid] - table$low[paid]))
  other <- chosen_intervals(intervals_method = "bootstrap", intervals_draws = 200L, seed = 8L)
  expect_false(identical(other$table$low, table$low))
  expect_warning(chosen_intervals(intervals_method = "bootstrap", intervals_block = 400L),
    "`outputs.intervals.block` is 400, but the fit has 156 periods")
})

test_that("without held-back rows: refits use the periods that the model was fitted to", {
  golden <- made_golden("ts_validation")
  id <- golden$ours$best_model
  row <- golden$ours$parts$ranked$hyp[solID == id]
  cfg <- job_config(ts_validation = TRUE, intervals_method = "bootstrap", intervals_draws = 100L)
  found <- model_intervals(golden$inputs, cfg, golden$ours$parts$agg, row)
  model <- refit_model(golden$inputs, cfg, row)
  totals <- bootstrap_totals(model, 100L, found$block, cfg$seed)
  expect_identical(found$block, block_length(length(model$train)))
  expect_lt(length(model$train), length(model$y))
  expect_identical(dim(totals), c(length(found$table$rn), 100L))
})

test_that("of clusters, the intervals are Robyn's, and shares follow the same rule", {
  for (case in names(OUTPUT_CASES)) {
    made <- made_golden(case, OUTPUT_CASES[[case]])$ours
    table <- made$tables$decomposition
    agg <- made$parts$agg
    expect_identical(table$interval_low, agg$ci_low, info = case)
    expect_identical(table$interval_high, agg$ci_up, info = case)
    expect_identical(table$interval_mean, agg$boot_mean, info = case)
    floored <- table[kind == "paid_media" & interval_low == 0]
    expect_true(all(floored$share_low >= 0), info = case)
  }
  some <- agg[cluster == agg$cluster[1] & rn == "trend"]
  expected <- bootstrap_interval(some$xDecompPerc, 1000, floor = -Inf)
  own <- table[agg$solID == some$solID[1] & agg$rn == "trend"]
  expect_equal(c(own$share_low, own$share_high), c(expected$ci_low, expected$ci_up))
})

test_that("tables and metrics name the method, and say nothing where nothing is asked", {
  made <- made_market()
  outputs <- function(method) {
    cfg <- made$cfg
    cfg$intervals_method <- method
    model_outputs(made$inputs, made$models, cfg)
  }
  none <- outputs("none")
  expect_identical(none$metrics$intervals, list(method = "none"))
  expect_true(all(is.na(none$tables$decomposition$interval_low)))
  expect_true(all(is.na(none$tables$decomposition$interval_method)))
  found <- outputs("bootstrap")
  channel <- found$metrics$channels[[1]]
  row <- found$tables$decomposition[is_best_model == TRUE & channel == "tv"]
  expect_identical(channel$interval_method, "bootstrap")
  expect_identical(channel$interval_low, row$interval_low)
  expect_identical(channel$contribution_share_high, row$share_high)
  expect_true(all(is.na(found$tables$decomposition[is_best_model == FALSE]$share_low)))
  expect_identical(made$outputs$metrics$intervals, list(method = "cluster", level = 0.95))
  # What Robyn's outputs are made of stays Robyn's.
  expect_identical(found$parts$agg$ci_low, made$outputs$parts$agg$ci_low)
})
