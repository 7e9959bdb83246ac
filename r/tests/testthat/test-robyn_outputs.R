example_outputs <- function(search = "fast", models = NULL, ..., env = parent.frame()) {
  inputs <- example_inputs()
  cfg <- robyn_job(search = search, ..., env = env)
  if (is.null(models)) models <- run_trials(inputs, cfg, memory_log())
  made <- quietly(robyn_engine_outputs(inputs, models, cfg, memory_log()))
  list(made = made, cfg = cfg, files = list.files(cfg$output_dir), inputs = inputs)
}

test_that("a fast search leaves Robyn's objects and files, checked by Robyn", {
  skip_without_robyn()
  found <- example_outputs()
  made <- found$made
  expect_s3_class(made$collect, "robyn_outputs")
  expect_identical(made$search, "fast")
  expect_identical(made$collect$OutputModels$convergence, made$models$convergence)
  expect_null(made$collect$OutputModels$trial1)
  expect_s3_class(made$models, "robyn_models")
  expect_false(is.null(made$models$trial1))
  # Robyn makes the plots again that are not kept.
  expect_s3_class(quietly(Robyn::ts_validation(made$models)), "ggplot")
  expect_true(made$selfcheck$passed)
  expect_true(made$best_model %in% unlist(made$selfcheck$models))
  expect_identical(made$robyn_version, as.character(packageVersion("Robyn")))
  winners <- made$collect$clusters$models
  expect_identical(made$best_model, winners$solID[which.min(winners$error_score)])
  expect_setequal(found$files, sprintf("RobynModel-%s.json", winners$solID))
  expect_identical(unique(made$tables$allocation$model_id), made$best_model)

  # Robyn makes the model again from its JSON.
  json <- file.path(found$cfg$output_dir, sprintf("RobynModel-%s.json", made$best_model))
  again <- quietly(Robyn::robyn_run(
    InputCollect = found$inputs, json_file = json, export = FALSE, quiet = TRUE
  ))
  row <- made$collect$resultHypParam
  row <- row[row$solID == made$best_model, ]
  expect_equal(again$resultHypParam$nrmse, row$nrmse, tolerance = 1e-6)
  expect_equal(again$resultHypParam$decomp.rssd, row$decomp.rssd, tolerance = 1e-6)
  expect_identical(again$selectID, made$best_model)
})

test_that("a fast search that Robyn does not confirm gives way to robyn_run, with a warning", {
  skip_without_robyn_search()
  inputs <- example_inputs()
  models <- run_trials(inputs, robyn_job(iterations = 20), memory_log())
  wrong <- models
  nrmse <- models$trial1$resultCollect$resultHypParam$nrmse
  wrong$trial1$resultCollect$resultHypParam$nrmse <- nrmse * 1.001
  warnings <- character()
  found <- withCallingHandlers(
    example_outputs(models = wrong, iterations = 20, min_candidates = 6),
    warning = function(w) {
      warnings <<- c(warnings, conditionMessage(w))
      invokeRestart("muffleWarning")
    }
  )
  expect_match(warnings, "searched again by robyn_run", all = FALSE)
  expect_identical(found$made$search, "robyn")
  expect_false(found$made$selfcheck$passed)
  right <- found$made$models$trial1$resultCollect$resultHypParam
  expect_equal(right$nrmse, nrmse, tolerance = 1e-9)
})

test_that("few models are no obstacle to robyn_outputs", {
  skip_without_robyn()
  inputs <- example_inputs()
  models <- run_trials(inputs, robyn_job(iterations = 16), memory_log())
  expect_warning(
    found <- example_outputs("robyn", models, iterations = 16, min_candidates = 100),
    "fewer than `min_candidates`"
  )
  expect_null(found$made$selfcheck)
  expect_gte(length(found$made$collect$allSolutions), 5)
})

test_that("a file that robyn_write does not leave is an error", {
  skip_without_robyn()
  models <- remember("models", function() run_trials(example_inputs(), robyn_job(), memory_log()))
  cfg <- robyn_job()
  made <- quietly(robyn_model_outputs(example_inputs(), models, cfg, reference = FALSE))
  made$best_model <- "9_9_9"
  expect_error(
    quietly(write_robyn_models(example_inputs(), made, cfg)), "robyn_write", class = "robyn_error"
  )
})
