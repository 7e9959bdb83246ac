made_up <- function(seed) {
  set.seed(seed)
  x <- matrix(rnorm(90 * 8)^2, 90)
  list(
    x = x, y = as.numeric(x %*% c(3, -2, 0, 1, 1, 0, -1, 2) + rnorm(90)) * 1e5,
    limits = ridge_limits(c(rep(0, 4), rep(-Inf, 4)), c(1, 1, rep(Inf, 4), 0, 0)),
    penalty = runif(8)
  )
}

test_that("the compiled core gives glmnet()'s coefficients to the last bit", {
  core <- glmnet_core()
  skip_if(is.null(core), "this glmnet has another core: every fit is glmnet()'s own")
  for (seed in 1:5) {
    d <- made_up(seed)
    for (lambda in c(1e2, 1e5, 1e8)) for (intercept in c(TRUE, FALSE)) {
      call <- function(fit) fit(d$x, d$y, lambda, d$limits, d$penalty, intercept)
      expect_identical(call(core), call(ridge_by_glmnet))
    }
  }
  before <- made_up(1)
  d <- made_up(1)
  core(d$x, d$y, 10, d$limits, d$penalty, TRUE)
  expect_identical(d, before) # its arguments are not written to
})

test_that("signs are kept to and a constant predictor has no coefficient", {
  d <- made_up(2)
  d$x[, 8] <- 5
  d$limits[2, 8] <- GLMNET_BIG
  fit <- ridge_fitter(d$x, d$y, d$limits, d$penalty, 1e3)
  beta <- fit(d$x, d$y, 1e3, d$limits, d$penalty, TRUE)[-1]
  expect_true(all(beta[1:4] >= 0) && all(beta[1:2] <= 1) && beta[7] <= 0)
  expect_identical(beta[8], 0)
})


test_that("the greatest lambda is a tenth of glmnet's", {
  d <- made_up(3)
  fit <- glmnet::glmnet(d$x, d$y, alpha = 0)
  expect_equal(greatest_lambda(d$x, d$y), max(fit$lambda) * 0.1, tolerance = 0.05)
  expect_equal(greatest_lambda(cbind(d$x, 1), d$y), greatest_lambda(d$x, d$y))
})
