inputs <- function(hyperparameters) {
  list(
    dt_mod = data.frame(ds = 1, dep_var = 1, trend = 1, tv = 1), all_media = "tv",
    adstock = "geometric", hyperparameters = hyperparameters
  )
}
ranges <- list(
  tv_thetas = c(0, 0.5), tv_alphas = c(0.5, 3), tv_gammas = c(0.3, 1), train_size = c(0.5, 0.8)
)
settings <- function(...) search_settings(list(), list(...))

test_that("names and defaults are Robyn's", {
  expect_identical(
    hyperparameter_names("weibull_pdf", c("tv", "radio")),
    c("radio_alphas", "radio_gammas", "radio_scales", "radio_shapes",
      "tv_alphas", "tv_gammas", "tv_scales", "tv_shapes")
  )
  defaults <- default_hyperparameters("geometric", "tv")
  expect_identical(names(defaults), c("tv_alphas", "tv_gammas", "tv_thetas", "train_size"))
  expect_identical(defaults$tv_thetas, c(0, 0.8))
  expect_error(hyperparameter_names("linear", "tv"))
})

test_that("the optimiser's order is Robyn's: media sorted, then train_size, lambda, penalties", {
  space <- hyperparameter_space(inputs(ranges), settings())
  expect_identical(names(space$updated), c("tv_alphas", "tv_gammas", "tv_thetas", "lambda"))
  expect_identical(space$fixed, list(train_size = 1))
  expect_identical(space$columns, c(names(space$updated), "train_size"))
  space <- hyperparameter_space(
    inputs(ranges), settings(ts_validation = TRUE, add_penalty_factor = TRUE)
  )
  expect_identical(names(space$updated), c(
    "tv_alphas", "tv_gammas", "tv_thetas", "train_size", "lambda", "trend_penalty", "tv_penalty"
  ))
  expect_length(space$fixed, 0)
})

test_that("single values are fixed and scaled values lie within their bounds", {
  partly <- utils::modifyList(ranges, list(tv_gammas = 0.4))
  space <- hyperparameter_space(inputs(partly), settings())
  expect_identical(space$fixed, list(tv_gammas = 0.4, train_size = 1))
  expect_equal(hyperparameter_scaler(space)(c(0, 1, 0.5)), c(0.5, 0.5, 0.5))
  expect_identical(hyperparameter_scaler(space)(c(1 / 3, 0, 0))[1], 0.5 + 0.3333333333 * 2.5)
})
