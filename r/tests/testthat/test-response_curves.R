test_that("curves start at zero, rise to the coefficient and mark what was seen", {
  curves <- response_curves(list(m = list(
    tv = list(total = c(0, 10, 100), coef = 50, alpha = 2, inflexion = 40)
  )), points = 11L, reach = 2)
  expect_equal(nrow(curves), 11)
  expect_equal(curves$input, seq(0, 200, 20))
  expect_equal(curves$response[1], 0)
  expect_true(all(diff(curves$response) > 0))
  expect_equal(curves$response, 50 * curves$input^2 / (curves$input^2 + 40^2))
  expect_identical(curves$observed, curves$input <= 100)
  expect_equal(curves$input[which.max(curves$marginal_response)], 20)
})

test_that("an infinite slope at zero is missing", {
  curves <- response_curves(list(m = list(
    tv = list(total = 1, coef = 1, alpha = 0.5, inflexion = 1)
  )))
  expect_true(is.na(curves$marginal_response[1]))
  expect_false(anyNA(curves$marginal_response[-1]))
})
