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
  times <- jsonlite::fromJSON(json)$ModelsCollect[c("run_time", "outputs_time", "total_time")]
  expect_match(unlist(times), "^[0-9.]+ min$")
  expect_length(unlist(times), 3)
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

# Two trials of different lengths, as a search until convergence leaves them.
unequal_trials <- function(inputs, cfg, lengths) {
  trials <- lapply(seq_along(lengths), function(k) {
    search_trial(inputs, list(seed = cfg$seed, iterations = lengths[k]), k)
  })
  settings <- search_settings(inputs, cfg)
  quietly(output_models(inputs, search_problem(inputs, settings), settings, trials, Sys.time()))
}

test_that("Robyn takes trials of different lengths, and confirms them", {
  skip_without_robyn()
  inputs <- example_inputs()
  cfg <- robyn_job(trials = 2, iterations = 60, max_iterations = 110)
  models <- unequal_trials(inputs, cfg, c(70L, 110L))
  expect_identical(models$iterations, 110)
  ours <- example_outputs("fast", models, trials = 2, iterations = 60, max_iterations = 110)$made
  expect_true(ours$selfcheck$passed)
  stopped <- vapply(ours$metrics$trials, `[[`, "", "stopped")
  expect_identical(stopped, c("converged", "limit"))
  expect_identical(convergence_metrics(converge(models[c("trial1", "trial2")])$errors),
    ours$metrics$convergence)
  # robyn_outputs itself on the same models.
  theirs <- example_outputs("robyn", models, trials = 2, iterations = 60)$made
  expect_setequal(theirs$collect$allSolutions, ours$collect$allSolutions)
  expect_identical(theirs$best_model, ours$best_model)
})

test_that("robyn_run takes over with as many iterations as each trial had", {
  skip_without_robyn_search()
  inputs <- example_inputs()
  cfg <- robyn_job(trials = 2, iterations = 4, max_iterations = 9)
  models <- unequal_trials(inputs, cfg, c(5L, 9L))
  again <- quietly(search_again(inputs, cfg, models, memory_log()))
  for (trial in c("trial1", "trial2")) {
    ours <- models[[trial]]$resultCollect$resultHypParam
    theirs <- again[[trial]]$resultCollect$resultHypParam
    expect_identical(theirs$solID, ours$solID)
    expect_equal(theirs$nrmse, ours$nrmse, tolerance = 1e-9)
  }
  kept <- c("iterations", "max_iterations")
  expect_identical(again[kept], models[kept])
})
