# Against Robyn's own: test-robyn_collect.R. Here what must hold for any model.
example_media <- function() {
  list(
    tv = list(
      total = c(3, 4), saturated = c(0.5, 0.75), saturated_carryover = c(0.1, 0.15), coef = 8
    ),
    radio = list(
      total = c(1, 2), saturated = c(0.2, 0.4), saturated_carryover = c(0, 0.3), coef = 10
    )
  )
}

test_that("immediate and carried-over response add up", {
  made <- plot_carryover(example_media(), "1_1_1")
  expect_identical(made$rn, c("radio", "radio", "tv", "tv"))
  expect_equal(made$response, c(3, 3, 8, 2))
  expect_equal(made$percentage, c(0.5, 0.5, 0.8, 0.2))
  expect_equal(made$carryover_pct, c(0.5, 0.5, 0.2, 0.2))
})

test_that("the waterfall runs from one to nothing left", {
  agg <- data.table::data.table(
    rn = c("(Intercept)", "tv", "price"), coef = c(1, 2, -1), xDecompAgg = c(60, 60, -20),
    xDecompPerc = c(0.6, 0.6, -0.2)
  )
  made <- plot_waterfall(agg)
  expect_identical(as.character(made$rn), c("price", "(Intercept)", "tv"))
  expect_equal(made$start, c(1, 1.2, 0.6))
  expect_equal(made$end, c(1.2, 0.6, 0))
  expect_identical(as.character(made$sign), c("Negative", "Positive", "Positive"))
})
