test_that("the Hill curve is 0 at 0, a half at the inflexion and nears 1", {
  expect_identical(hill_saturation(c(0, 4), 2, 4), c(0, 0.5))
  expect_gt(hill_saturation(4000, 2, 4), 0.999)
  expect_equal(hill_saturation(2, 3, 4), 8 / (8 + 64))
})
