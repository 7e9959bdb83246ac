test_that("events are JSON lines", {
  path <- tempfile()
  log <- progress_log(path)
  timings <- new.env()
  value <- timed_step("inputs", log, timings, 6 * 7)
  log$progress(1, 2, 50, 100, 0.123456789012345, NULL)
  log$checkpoint(1, "/x/trial_1.rds")
  log$warning("say \"hi\"\nthere")
  expect_identical(value, 42)
  expect_gte(timings$inputs, 0)
  lines <- readLines(path)
  events <- lapply(lines, jsonlite::fromJSON)
  expect_identical(
    vapply(events, `[[`, "", "type"), c("step", "step", "progress", "checkpoint", "warning")
  )
  expect_identical(events[[2]]$state, "finished")
  expect_identical(events[[3]]$best_nrmse, 0.123456789012345)
  expect_true("best_rssd" %in% names(events[[3]]) && is.null(events[[3]]$best_rssd))
  expect_identical(events[[5]]$message, "say \"hi\"\nthere")
  expect_match(events[[1]]$time, "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$")
})

test_that("without a path nothing is written", {
  expect_silent(progress_log(NULL)$warning("x"))
})

test_that("warnings of children are kept, each once", {
  store <- warning_store(tempfile())
  expect_identical(store$all(), character())
  expect_true(store$add("a"))
  expect_false(store$add("a"))
  map_children(1:2, function(i) store$add(paste("child", i)), cores = 2)
  expect_setequal(store$all(), c("a", "child 1", "child 2"))
})
