golden <- read_golden("geometric")
problem_of <- function(inputs, ...) search_problem(inputs, search_settings(inputs, list(...)))
key_of <- function(inputs, ...) {
  search_key(problem_of(inputs, ...), search_settings(inputs, list(...)))
}

test_that("the key follows everything that decides a trial, and nothing else", {
  key <- key_of(golden$inputs)
  expect_match(key, "^[0-9a-f]{32}$")
  expect_identical(key_of(golden$inputs, trials = 9L, cores = 2L), key)
  expect_false(key_of(golden$inputs, seed = 5L) == key)
  expect_false(key_of(golden$inputs, iterations = 10L) == key)
  expect_false(key_of(golden$inputs, workers = 2L) == key)
  expect_false(key_of(golden$inputs, intercept = FALSE) == key)
  changed <- golden$inputs
  greatest <- which.max(changed$dt_mod$tv_S)
  changed$dt_mod$tv_S[greatest] <- changed$dt_mod$tv_S[greatest] * (1 + 1e-15)
  expect_false(key_of(changed) == key)
  changed <- golden$inputs
  changed$hyperparameters$tv_S_alphas <- c(0.5, 2)
  expect_false(key_of(changed) == key)
})

test_that("what is written is read; another search's, another trial's and half a file are not", {
  path <- tempfile()
  record <- list(time = matrix(1, 2, 2), row = matrix(1:4, 2))
  write_checkpoint(path, "k", 3L, record, 1.5)
  expect_identical(read_checkpoint(path, "k", 3L)$record, record)
  expect_null(read_checkpoint(path, "other", 3L))
  expect_null(read_checkpoint(path, "k", 4L))
  expect_null(read_checkpoint(tempfile(), "k", 3L))
  bytes <- readBin(path, "raw", file.size(path))
  writeBin(bytes[seq_len(length(bytes) %/% 2)], path)
  expect_null(read_checkpoint(path, "k", 3L))
  writeLines("not R", path)
  expect_null(read_checkpoint(path, "k", 3L))
})

test_that("inputs are made once for the same data and settings", {
  folder <- tempfile("inputs-")
  dir.create(folder)
  on.exit(unlink(folder, recursive = TRUE))
  data <- file.path(folder, "data.csv")
  writeLines("a", data)
  cfg <- list(work_dir = folder, data_csv = data, holidays_csv = NULL, adstock = "geometric",
    trials = 2L)
  made <- 0
  make <- function() {
    made <<- made + 1
    list(number = pi + made)
  }
  first <- kept_inputs(cfg, "builtin", make)
  expect_identical(kept_inputs(cfg, "builtin", make), first)
  expect_identical(kept_inputs(modifyList(cfg, list(trials = 5L)), "builtin", make), first)
  expect_equal(made, 1)
  kept_inputs(modifyList(cfg, list(adstock = "weibull_cdf")), "builtin", make)
  writeLines("b", data)
  kept_inputs(cfg, "builtin", make)
  writeLines("broken", file.path(folder, "inputs.rds"))
  kept_inputs(cfg, "builtin", make)
  kept_inputs(cfg, "robyn", make)
  expect_equal(made, 5)
})
