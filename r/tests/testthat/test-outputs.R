test_that("the truth of a simulated market is found", {
  made <- made_market()
  market <- simulated_market()
  metrics <- made$outputs$metrics
  # How well a short search fits depends on prophet's draws, which differ between versions of R.
  # So the media must explain more than half of what everything else leaves unexplained.
  without_media <- stats::lm(
    revenue ~ week + sin(2 * pi * week / 52.18) + cos(2 * pi * week / 52.18) + price + promotion,
    cbind(market$data, week = seq_len(nrow(market$data)))
  )
  expect_gt(metrics$rsq_train, (1 + summary(without_media)$r.squared) / 2)
  shares <- unlist(metrics$contribution_shares)[c("tv_spend", "clicks")]
  truth <- market$contributions / market$total
  # A short search on a short window: right in size, not to the per cent.
  expect_lt(max(abs(shares - truth)), 0.1)
  expect_true(all(shares > 0))
})

test_that("the same seed gives the same outputs", {
  made <- made_market()
  again <- model_outputs(made$inputs, made$models, made$cfg)
  for (table in names(again$tables)) {
    # Column by column: data.table keeps an index of what was looked up before.
    ours <- again$tables[[table]]
    columns <- names(ours)
    expect_identical(as.list(ours)[columns], as.list(made$outputs$tables[[table]])[columns])
  }
  expect_identical(again$metrics, made$outputs$metrics)
})

test_that("files of a run are written, the objects read back", {
  made <- made_market()
  outputs <- builtin_outputs(made$inputs, made$models, made$cfg, NULL)
  write_outputs(made$inputs, made$models, outputs, made$cfg, "builtin")
  files <- list.files(made$cfg$output_dir, recursive = TRUE)
  expect_true(all(c(
    "metrics.json", "InputCollect.RDS", "OutputModels.RDS", "OutputCollect.RDS",
    paste0("tables/", names(outputs$tables), ".csv"),
    paste0("Model-", outputs$best_model, ".json")
  ) %in% files))
  expect_false(any(grepl("[.]tmp$|Robyn", files)))
  collect <- readRDS(file.path(made$cfg$output_dir, "OutputCollect.RDS"))
  expect_identical(collect$allSolutions, outputs$tables$models$model_id)
  metrics <- jsonlite::fromJSON(file.path(made$cfg$output_dir, "metrics.json"))
  expect_identical(metrics$engine, "builtin")
  expect_identical(metrics$best_model, outputs$best_model)
})

test_that("a search without results is an error", {
  expect_error(collect_trials(list(trials = 1)), "No trial", class = "mmm_model_error")
})
