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

refused <- function(pattern, ...) {
  expect_error(read_config(write_job(...)), pattern, class = "mmm_config_error")
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

test_that("what cannot be is refused with field, value and remedy", {
  refused("`adstock` is \"weibul_pdf\".*did you mean `weibull_pdf`", adstock = "weibul_pdf")
  refused("`trials` is 0; it must be a whole number", trials = 0)
  refused("`seed` is 1.5", seed = 1.5)
  refused("`data_csv` is \"/none.csv\".*existing file", data_csv = "/none.csv")
  refused("`window_end` is \"31.12.2021\".*2024-12-30", window_end = "31.12.2021")
  refused("`prophet_vars`.*weekday.*did you mean `trend`", prophet_vars = c("trent", "season"))
  refused("`merge` is \"yes\"; it must be true or false", merge = "yes")
  refused("`target` is null", target = NULL)
  refused("`hyperparameters.tv_alphas` is \\[3,1\\]", hyperparameters = list(tv_alphas = c(3, 1)))
  refused("`channel_signs` has 1.*`channel_spends` has 2", channel_signs = I("positive"))
  refused("`factors` names `promo`.*did you mean `promotion`", factors = I("promo"))
  refused("`trials_todo` is \\[1,3\\]", trials_todo = c(1, 3))
  refused("`objective_weights` is \"a\"; it must be a list of numbers", objective_weights = "a")
  refused("`adstok` is not a field.*did you mean `adstock`", adstok = "geometric")
  refused("max_response, target_efficiency", allocator_scenarios = list(list(scenario = "best")))
  refused("channel_low 3 above", allocator_scenarios = list(
    list(scenario = "max_response", channel_low = 3, channel_high = 2)
  ))
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
