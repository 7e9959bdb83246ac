test_that("tables have a best model, kinds and channels", {
  made <- made_market()
  tables <- made$outputs$tables
  expect_named(tables, c(
    "models", "decomposition", "decomposition_by_date", "response_curves", "allocation", "pareto"
  ))
  for (name in names(tables)) {
    best <- unique(tables[[name]][is_best_model == TRUE]$model_id)
    expect_identical(best, made$outputs$best_model, info = name)
  }
  expect_equal(nrow(tables$pareto), 3000)
  expect_identical(sum(tables$pareto$is_candidate), nrow(tables$models))
  expect_false(anyDuplicated(tables$pareto$model_id) > 0)
  expect_setequal(
    unique(tables$decomposition$kind),
    c("intercept", "prophet", "context", "paid_media", "organic")
  )
  paid <- unique(tables$decomposition[kind == "paid_media", list(variable, channel)])
  expect_identical(paid$channel[match(c("tv_spend", "clicks"), paid$variable)], c("tv", "search"))
  expect_equal(nrow(tables$allocation), 4 * sum(tables$models$is_cluster_winner))
})

test_that("hyperparameters are a JSON object in full precision", {
  made <- made_market()
  row <- made$outputs$tables$models[1]
  values <- jsonlite::fromJSON(row$hyperparameters)
  hyp <- made$outputs$parts$ranked$hyp[solID == row$model_id]
  expect_equal(values$tv_spend_alphas, hyp$tv_spend_alphas, tolerance = 1e-14)
  expect_setequal(names(values), hyperparameter_names("geometric", made$inputs$all_media))
})

test_that("CSV keeps numbers, dates, flags and missing values", {
  folder <- tempfile()
  dir.create(folder)
  table <- data.table::data.table(
    text = c("a,\"b\"", NA), number = c(1 / 3, NA), date = as.Date(c("2024-01-01", NA)),
    flag = c(TRUE, FALSE)
  )
  write_tables(list(t = table), folder)
  lines <- readLines(file.path(folder, "tables", "t.csv"))
  expect_identical(lines[2], "\"a,\"\"b\"\"\",0.333333333333333,2024-01-01,TRUE")
  expect_identical(lines[3], ",,,FALSE")
})

test_that("no scenario gives an allocation without rows", {
  table <- allocation_table(list(), NULL, "x", 52)
  expect_identical(names(table), names(made_market()$outputs$tables$allocation))
  expect_equal(nrow(table), 0)
})
