# robyn_outputs itself on few candidates: it takes a third of a second for each.
reference_outputs <- function(inputs, cfg, models) {
  quietly(Robyn::robyn_outputs(
    inputs, models, pareto_fronts = cfg$pareto_fronts, min_candidates = cfg$min_candidates,
    clusters = TRUE, export = FALSE, quiet = TRUE, plot_folder = cfg$output_dir,
    plot_folder_sub = basename(robyn_folder(cfg))
  ))
}

expect_robyn_outputs <- function(ours, theirs) {
  expect_identical(class(ours), class(theirs))
  expect_setequal(names(ours), setdiff(names(theirs), "UI"))
  expect_setequal(names(attributes(ours)), names(attributes(theirs)))
  beside <- c("allPareto", "OutputModels", "clusters", "plot_folder")
  for (field in setdiff(names(theirs), beside)) {
    expect_equal(ours[[field]], theirs[[field]], tolerance = 1e-9, info = field)
  }
  expect_identical(basename(ours$plot_folder), basename(theirs$plot_folder))
  for (field in names(theirs$allPareto)) {
    expect_equal(
      ours$allPareto[[field]][names(theirs$allPareto[[field]])], theirs$allPareto[[field]],
      tolerance = 1e-9, info = field
    )
  }
  expect_identical(
    as.character(ours$clusters$models$solID), as.character(theirs$clusters$models$solID)
  )
  for (field in names(ours$clusters)) {
    expect_equal(ours$clusters[[field]], theirs$clusters[[field]], tolerance = 1e-9, info = field)
  }
}

# The tables of every engine say what Robyn's CSVs say.
expect_robyn_csvs <- function(made, inputs, theirs) {
  folder <- withr::local_tempdir("csv-")
  write_robyn_csvs(theirs, inputs, folder)
  expect_identical(csv_differences(made, inputs, folder), NULL)
  made$tables$models$nrmse[1] <- 0
  expect_match(csv_differences(made, inputs, folder), "nrmse: differs", all = FALSE)
}

test_that("OutputCollect is the one of robyn_outputs, tables and clusters agree", {
  skip_without_robyn()
  cfg <- robyn_job(min_candidates = 25)
  inputs <- example_inputs()
  models <- remember("models", function() run_trials(inputs, robyn_job(), memory_log()))
  theirs <- reference_outputs(inputs, cfg, models)
  made <- quietly(model_outputs(inputs, models, cfg))
  ours <- quietly(add_robyn_clusters(robyn_collect(inputs, models, cfg, made$parts), inputs))
  expect_robyn_outputs(ours, theirs)

  # The tables of every engine, made without Robyn, say the same.
  expect_robyn_csvs(made, inputs, theirs)
  winners <- theirs$clusters$models
  expect_identical(made$best_model, winners$solID[which.min(winners$error_score)])
  expect_identical(sort(made$collect$clusters$models$solID), sort(winners$solID))
})

test_that("it is so with Weibull adstock, calibration and conversions too", {
  skip_without_robyn()
  cfg <- robyn_job(
    adstock = "weibull_pdf", calibration = lift_studies(), target_kind = "conversion",
    iterations = 600, pareto_fronts = 5
  )
  inputs <- quietly(robyn_engine_inputs(cfg, read_data(cfg)))
  models <- quietly(run_trials(inputs, cfg, memory_log()))
  theirs <- reference_outputs(inputs, cfg, models)
  made <- quietly(model_outputs(inputs, models, cfg))
  ours <- quietly(add_robyn_clusters(robyn_collect(inputs, models, cfg, made$parts), inputs))
  expect_robyn_outputs(ours, theirs)
  expect_robyn_csvs(made, inputs, theirs)
})

test_that("candidates that cannot be clustered are a warning", {
  skip_without_robyn()
  inputs <- example_inputs()
  models <- remember("models", function() run_trials(inputs, robyn_job(), memory_log()))
  cfg <- robyn_job(min_candidates = 1, pareto_fronts = 1)
  parts <- quietly(model_outputs(inputs, models, cfg))$parts
  keep <- parts$ranked$hyp$solID[parts$ranked$hyp$candidate][1:2]
  parts$ranked$hyp[, robynPareto := ifelse(solID %in% keep, robynPareto, NA)]
  collect <- robyn_collect(inputs, models, cfg, parts)
  expect_warning(made <- add_robyn_clusters(collect, inputs), "cannot cluster")
  expect_null(made$clusters)
  expect_setequal(made$allSolutions, keep)
})
