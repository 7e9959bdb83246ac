test_that("errors are their formulas", {
  expect_equal(nrmse(c(1, 3, 5), c(1, 3, 8)), sqrt(3) / 4)
  expect_equal(adjusted_rsq(c(1, 2, 3, 4), c(1, 2, 3, 5), 1, 1, 4), 1 - (1 / 5) * 3 / 2)
  expect_equal(decomposition_rssd(c(0.5, 0.5), c(0.2, 0.8), FALSE), sqrt(0.18))
  expect_equal(decomposition_rssd(c(1, 0), c(1, 0), TRUE), 0)
  expect_equal(decomposition_rssd(c(1, 0), c(0.5, 0.5), TRUE), sqrt(0.5) * 1.5)
  expect_identical(decomposition_rssd(c(NaN, NaN), c(0.5, 0.5), TRUE), Inf)
})

test_that("a refresh is held against the model before", {
  previous <- list(share = c(0.5, 0.3, 0.2), paid = c(FALSE, TRUE, TRUE), kept = 0.9)
  expect_equal(refresh_rssd(c(0.4, 0.3, 0.3), previous), sqrt(0.005) + 0.1 / 0.9)
})

test_that("rows are split in order: train, validation, test", {
  expect_identical(split_rows(10, 1), list(train = 1:10))
  split <- split_rows(157, 0.7)
  expect_equal(unlist(split, use.names = FALSE), 1:157)
  expect_equal(lengths(split), c(train = 110, validation = 23, test = 24))
})
