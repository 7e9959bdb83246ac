#' Names of the columns whose values stand anywhere in an object, whatever it is made of.
columns_in <- function(object, data) {
  found <- seen <- character()
  look <- function(x) {
    if (is.environment(x)) {
      address <- format(x)
      if (address %in% seen || isNamespace(x) || identical(x, globalenv())) return(invisible())
      seen <<- c(seen, address)
      x <- as.list(x)
    }
    if (is.list(x)) return(invisible(lapply(x, look)))
    if (!is.numeric(x) || length(x) < nrow(data) / 2) return(invisible())
    held <- vapply(data, function(column) {
      column <- column[column != 0]
      length(column) > 0 && mean(signif(column, 10) %in% signif(x, 10)) > 0.3
    }, NA)
    found <<- union(found, names(data)[held])
  }
  look(unclass(object))
  found
}

test_that("without include_data no file of a run holds an input's column but the target", {
  made <- made_market()
  data <- Filter(is.numeric, simulated_market()$data)
  kept <- function(include_data) {
    cfg <- job_config(include_data = include_data)
    dir.create(cfg$output_dir)
    outputs <- builtin_outputs(made$inputs, made$models, cfg, NULL)
    write_outputs(made$inputs, made$models, outputs, cfg, "builtin")
    files <- list.files(cfg$output_dir, "[.]RDS$", full.names = TRUE)
    stats::setNames(lapply(files, function(f) columns_in(readRDS(f), data)), basename(files))
  }
  without <- kept(FALSE)
  expect_length(without$InputCollect.RDS, 0)
  expect_length(without$OutputModels.RDS, 0)
  expect_identical(without$OutputCollect.RDS, "revenue")
  expect_true(all(c("revenue", "tv_spend", "clicks", "price") %in% kept(TRUE)$InputCollect.RDS))
})

test_that("Robyn takes what a run without data leaves, given the data", {
  skip_without_robyn()
  data <- Robyn::dt_simulated_weekly
  models <- remember("models", function() run_trials(example_inputs(), robyn_job(), memory_log()))
  leave <- function(include_data) {
    cfg <- robyn_job(include_data = include_data, env = parent.frame(2))
    made <- quietly(robyn_engine_outputs(example_inputs(), models, cfg, memory_log()))
    write_outputs(example_inputs(), models, made, cfg, "robyn")
    json <- file.path(cfg$output_dir, sprintf("RobynModel-%s.json", made$best_model))
    list(made = made, json = json, inputs = readRDS(file.path(cfg$output_dir, "InputCollect.RDS")))
  }
  found <- leave(FALSE)
  numbers <- Filter(is.numeric, as.data.frame(data))
  expect_length(columns_in(found$inputs, numbers), 0)
  expect_null(jsonlite::fromJSON(found$json)$Extras$raw_data)
  # Recreated from the JSON and the data that its owner has.
  again <- quietly(Robyn::robyn_recreate(found$json, quiet = TRUE, dt_input = data))
  row <- found$made$collect$resultHypParam
  row <- row[row$solID == found$made$best_model, ]
  expect_equal(again$OutputCollect$resultHypParam$nrmse, row$nrmse, tolerance = 1e-6)
  expect_error(quietly(Robyn::robyn_recreate(found$json, quiet = TRUE)), "dt_input")

  found <- leave(TRUE)
  expect_true(all(c("tv_S", "newsletter") %in% columns_in(found$inputs, numbers)))
  expect_identical(nrow(jsonlite::fromJSON(found$json)$Extras$raw_data), nrow(data))
  quietly(Robyn::robyn_recreate(found$json, quiet = TRUE))
})
