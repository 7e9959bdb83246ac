chosen <- function(...) {
  made <- made_market()
  cfg <- made$cfg
  changed <- list(...)
  cfg[names(changed)] <- changed
  id <- made$outputs$best_model
  list(
    inputs = made$inputs, cfg = cfg, made = made,
    row = made$outputs$parts$ranked$hyp[solID == id],
    coef = made$outputs$parts$agg[solID == id, coef]
  )
}

test_that("fitted to its own rows the model is the one that was chosen", {
  it <- chosen()
  model <- refit_model(it$inputs, it$cfg, it$row)
  expect_equal(model$fit(model$train), it$coef, tolerance = 1e-12)
  predicted <- as.vector(cbind(1, model$x) %*% model$fit(model$train))
  expect_equal(nrmse(model$y, predicted), it$row$nrmse, tolerance = 1e-12)
})

test_that("with held-back rows it is fitted to the training rows, by Robyn's numbers", {
  golden <- made_golden("ts_validation")
  cfg <- job_config(ts_validation = TRUE)
  id <- golden$ours$best_model
  row <- golden$ours$parts$ranked$hyp[solID == id]
  model <- refit_model(golden$inputs, cfg, row)
  expect_lt(length(model$train), length(model$y))
  coef <- golden$ours$parts$agg[solID == id, coef]
  expect_equal(model$fit(model$train), coef, tolerance = 1e-12)
})
