test_that("a model can be made again from its JSON and the modelling table", {
  made <- made_market()
  id <- made$outputs$best_model
  path <- tempfile()
  write_json(describe_model(made$inputs, made$outputs, id, made$cfg), path)
  model <- jsonlite::fromJSON(path)
  expect_identical(model$engine, "builtin")
  expect_false(grepl("robyn", tolower(paste(readLines(path), collapse = ""))))
  expect_identical(model$inputs$channel_spends, made$cfg$channel_spends)
  inputs <- made$inputs
  rows <- model$inputs$window_rows[1]:model$inputs$window_rows[2]
  predicted <- rep(model$coefficients[["(Intercept)"]], length(rows))
  for (variable in setdiff(names(model$coefficients), "(Intercept)")) {
    x <- inputs$dt_mod[[variable]]
    theta <- model$hyperparameters[[paste0(variable, "_thetas")]]
    if (is.null(theta)) {
      x <- x[rows]
    } else {
      x <- geometric_adstock(x, theta)[rows]
      gamma <- model$hyperparameters[[paste0(variable, "_gammas")]]
      alpha <- model$hyperparameters[[paste0(variable, "_alphas")]]
      x <- hill_saturation(x, alpha, gamma * max(x))
    }
    predicted <- predicted + model$coefficients[[variable]] * x
  }
  actual <- inputs$dt_modRollWind$dep_var
  nrmse <- sqrt(mean((actual - predicted)^2)) / diff(range(actual))
  expect_equal(nrmse, model$errors$nrmse, tolerance = 1e-8)
})
