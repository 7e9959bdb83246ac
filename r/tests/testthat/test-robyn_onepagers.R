test_that("Robyn's one-pagers are drawn, and one that fails is a warning", {
  skip_without_robyn()
  inputs <- example_inputs()
  models <- remember("models", function() run_trials(inputs, robyn_job(), memory_log()))
  made <- remember("made", function() {
    robyn_model_outputs(inputs, models, robyn_job(), reference = FALSE)
  })
  cfg <- robyn_job(onepagers = 1)
  paths <- quietly(robyn_engine_plots(inputs, made, cfg, memory_log()))
  expect_identical(basename(paths), paste0(made$best_model, ".png"))
  expect_identical(readBin(paths, "raw", 4), as.raw(c(0x89, 0x50, 0x4e, 0x47)))
  expect_gt(file.size(paths), 50000)

  made$collect$allPareto$plotDataCollect[[made$best_model]] <- NULL
  cfg <- robyn_job(onepagers = 1)
  expect_warning(
    paths <- robyn_engine_plots(inputs, made, cfg, memory_log()), "was not drawn"
  )
  expect_length(paths, 0)
  expect_length(robyn_engine_plots(inputs, made, robyn_job(onepagers = 0), memory_log()), 0)

  # Where Robyn could not cluster the candidates: the winners of the run's own groups.
  shown <- onepager_models(made, 20)
  made$collect$clusters <- NULL
  expect_setequal(onepager_models(made, 20), shown)
  expect_identical(onepager_models(made, 1), made$best_model)
})
