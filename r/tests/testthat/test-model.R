golden <- read_golden("geometric")
settings <- search_settings(golden$inputs, list())
problem <- search_problem(golden$inputs, settings)
row <- vapply(problem$space$columns, function(name) {
  if (name == "train_size") 1 else if (name == "lambda") 0.2 else mean(problem$space$all[[name]])
}, 0)

test_that("a model is its transformed media, a ridge and the errors of both", {
  scored <- model_scorer(problem)(row)
  made <- media_transformer(problem)(row)
  x <- cbind(problem$static, do.call(cbind, made$saturated))
  lambda <- problem$lambda_min + (problem$lambda_max - problem$lambda_min) * 0.2
  beta <- ridge_by_glmnet(
    unname(x), problem$y, lambda, do.call(ridge_limits, problem$limits), rep(1, 11), TRUE
  )
  expect_identical(scored$coefficients, beta)
  expect_equal(scored$objectives[1], nrmse(problem$y, as.vector(cbind(1, x) %*% beta)))
  share <- (beta[-1] * colSums(x))[6:10]
  expect_equal(scored$objectives[2], decomposition_rssd(
    share / sum(share), problem$spend$spend_share[1:5], TRUE
  ))
  expect_identical(scored$objectives[3], 0)
})

test_that("media figures are inflexion, inflation, sum and periods present", {
  made <- media_transformer(problem)(row)
  tv <- geometric_adstock(problem$media$tv_S, row[["tv_S_thetas"]])
  seen <- tv[problem$window]
  expect_equal(made$figures[1, 1:2], c(
    max(seen) * row[["tv_S_gammas"]], sum(tv) / sum(problem$media$tv_S)
  ))
  expect_equal(made$figures[1, 3:6], rep(c(sum(made$saturated[[1]]), sum(seen > 0)), 2))
})

test_that("all-zero paid coefficients give an infinite DECOMP.RSSD, and the search goes on", {
  inputs <- golden$inputs
  inputs$paid_media_signs <- rep("negative", 5)
  inputs$organic_signs <- "negative"
  trial <- search_trial(inputs, list(iterations = 60L), 1L)
  models <- trial$resultCollect$resultHypParam
  expect_true(any(is.infinite(models$decomp.rssd)))
  dead <- trial$resultCollect$xDecompAgg
  dead <- dead[is.infinite(dead$decomp.rssd), ]
  expect_true(all(is.na(dead$effect_share)) && !any(is.nan(dead$effect_share)))
})
