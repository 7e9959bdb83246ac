test_that("other optimisers are nevergrad's", {
  skip_if_not(nevergrad_here(), "nevergrad is not installed")
  optimiser <- make_optimiser("LhsDE", 5, 40, 1, 2, c(1, 1), 3L)
  for (i in 1:40) {
    x <- optimiser$ask()
    expect_identical(dim(x), c(5L, 1L))
    expect_true(all(x >= 0 & x <= 1))
    optimiser$tell(c(mean(x), mean((x - 0.5)^2)))
  }
})

test_that("an unknown or unfit optimiser fails with nevergrad's own words", {
  skip_if_not(nevergrad_here(), "nevergrad is not installed")
  expect_error(make_optimiser("NoSuch", 5, 40, 1, 2, c(1, 1), 3L), class = "nevergrad_error")
  expect_error(
    make_optimiser("OnePlusOne", 5, 40, 1, 2, c(1, 1), 3L), "set_objective_weights",
    class = "nevergrad_error"
  )
})
