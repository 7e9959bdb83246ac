write_job <- function(...) {
  folder <- tempfile("job-")
  dir.create(folder)
  csv <- file.path(folder, "data.csv")
  writeLines("DATE,revenue", csv)
  job <- job_config()
  job <- c(job[setdiff(names(job), c("work_dir", "output_dir"))], list(
    data_csv = csv, work_dir = folder, output_dir = folder,
    result_file = file.path(folder, "r.json")
  ))
  job$hyperparameters <- structure(list(), names = character())
  for (field in c("organic", "organic_signs", "factors")) job[[field]] <- I(job[[field]])
  changed <- list(...)
  job[names(changed)] <- changed
  path <- file.path(folder, "job.json")
  writeLines(jsonlite::toJSON(job, auto_unbox = TRUE, null = "null", digits = NA), path)
  path
}

test_that("a job is read with R's types", {
  cfg <- read_config(write_job(
    window_start = "2021-02-01", hyperparameters = list(clicks_alphas = c(0.5, 3), lambda = 0.1),
    objective_weights = c(1, 2)
  ))
  expect_identical(names(cfg), names(CONFIG_FIELDS))
  expect_identical(cfg$window_start, as.Date("2021-02-01"))
  expect_identical(cfg$seed, 7L)
  expect_identical(cfg$hyperparameters, list(clicks_alphas = c(0.5, 3), lambda = 0.1))
  expect_identical(cfg$organic, "newsletter")
  expect_identical(cfg$trials_todo, 1:2)
  expect_identical(cfg$allocator_scenarios[[2]]$channel_high, 10L)
  expect_null(cfg$prophet_country)
})

test_that("empty lists have R's types", {
  none <- I(character())
  cfg <- read_config(write_job(
    organic = none, organic_signs = none, factors = none, trials_todo = I(integer()),
    allocator_scenarios = list(), calibration = list()
  ))
  expect_identical(cfg$organic, character())
  expect_identical(cfg$factors, character())
  expect_identical(cfg$trials_todo, integer())
  expect_length(cfg$allocator_scenarios, 0)
})

test_that("a field that R does not know is refused with the nearest match", {
  expect_error(
    read_config(write_job(adstok = "geometric")), "`adstok` is not a field.*did you mean `adstock`",
    class = "mmm_config_error"
  )
})

test_that("a job that lacks a field is refused with its name", {
  path <- write_job()
  job <- jsonlite::fromJSON(path, simplifyVector = FALSE)
  for (field in names(CONFIG_FIELDS)) {
    writeLines(jsonlite::toJSON(job[setdiff(names(job), field)], auto_unbox = TRUE), path)
    expect_error(
      read_config(path), sprintf("The job has no field `%s`.", field), class = "mmm_config_error"
    )
  }
})

test_that("a file that is no JSON, or none at all, is a config error", {
  path <- tempfile()
  expect_error(read_config(path), "does not exist", class = "mmm_config_error")
  writeLines("{", path)
  expect_error(read_config(path), "is not JSON", class = "mmm_config_error")
})

test_that("long values are shown short", {
  expect_identical(nchar(show_value(strrep("x", 500))), 80L)
  expect_identical(show_value(NULL), "null")
})
