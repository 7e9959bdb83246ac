made_up_trial <- function(nrmse, rssd) {
  list(resultCollect = list(resultHypParam = data.frame(
    trial = 1L, ElapsedAccum = seq_along(nrmse), nrmse = nrmse, decomp.rssd = rssd, mape = 0
  )))
}

test_that("an objective that falls and settles has converged, one that does not has not", {
  set.seed(1)
  falling <- 1 / seq_len(400) + runif(400) / 1000
  verdict <- converge(list(made_up_trial(falling, 0.5 + runif(400))))
  expect_identical(verdict$converged, c(DECOMP.RSSD = FALSE, NRMSE = TRUE))
  expect_match(verdict$conv_msg[2], "^NRMSE converged: sd@qt.20 .* <= ")
  expect_match(verdict$conv_msg[1], "^DECOMP.RSSD NOT converged: ")
  expect_identical(nrow(verdict$errors), 40L)
  expect_identical(levels(verdict$errors$cuts)[20], "400")
})

test_that("infinite and zero errors are left out", {
  values <- 1 + runif(400)
  verdict <- converge(list(made_up_trial(values, c(Inf, 0, values[-(1:2)]))))
  expect_identical(sum(verdict$errors$n), 798L)
})

test_that("the figures are Robyn's", {
  skip_if_not(robyn_here(), "Robyn is not installed")
  golden <- read_golden("geometric")
  trials <- lapply(1:2, function(k) search_trial(golden$inputs, list(iterations = 150L), k))
  models <- stats::setNames(trials, c("trial1", "trial2"))
  models$trials <- 2
  models$nevergrad_algo <- "TwoPointsDE"
  theirs <- suppressMessages(Robyn::robyn_converge(models))
  ours <- converge(trials)
  expect_identical(ours$conv_msg, as.character(theirs$conv_msg))
  expect_equal(ours$errors, as.data.frame(theirs$errors), ignore_attr = TRUE)
})
