pulse <- c(10, 0, 0, 5, 0, 0, 0, 1)

test_that("geometric adstock is its recursion, to the last bit", {
  expected <- pulse
  for (t in 2:8) expected[t] <- pulse[t] + 0.37 * expected[t - 1]
  expect_identical(geometric_adstock(pulse, 0.37), expected)
  expect_identical(geometric_adstock(pulse, 0), pulse)
})

test_that("Weibull adstock spreads every period by the curve", {
  for (type in c("cdf", "pdf")) {
    weights <- weibull_weights(8, 1.5, 0.4, type)
    expected <- vapply(1:8, function(t) sum(pulse[1:t] * weights[t:1]), 0)
    expect_equal(weibull_adstock(pulse, 1.5, 0.4, type), expected, tolerance = 1e-15)
  }
  expect_identical(weibull_adstock(pulse, 0, 0.4, "pdf"), pulse)
  expect_identical(weibull_adstock(pulse, 2, 0, "cdf"), pulse)
  expect_identical(weibull_adstock(3, 2, 0.5, "cdf"), 3)
})

test_that("the cdf starts at 1 and falls; the pdf is scaled to 0..1 and may lag", {
  cdf <- weibull_weights(50, 2, 0.1, "cdf")
  expect_identical(cdf[1], 1)
  expect_true(all(diff(cdf) <= 0))
  pdf <- weibull_weights(50, 4, 0.2, "pdf")
  expect_identical(range(pdf), c(0, 1))
  expect_gt(which.max(pdf), 1)
  expect_identical(weibull_weights(1, 2, 0.5, "pdf"), 1)
})

test_that("the scale is a quantile of the periods, as stats::quantile has it", {
  p <- c(0, 1, 0.5, 1 / 3, (0:156) / 156, seq(0, 1, 0.001))
  ours <- vapply(p, function(x) sequence_quantile(157, x), 0)
  expect_identical(ours, stats::quantile(1:157, p, names = FALSE))
})
