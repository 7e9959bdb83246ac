test_that("a condition carries class, field, cause and exit code", {
  cause <- simpleError("disk full")
  e <- tryCatch(
    abort("mmm_data_error", "Column `", "x", "` is odd.", field = "x", parent = cause),
    error = identity
  )
  expect_s3_class(e, c("mmm_data_error", "mmm_error", "error", "condition"), exact = TRUE)
  expect_identical(exit_code(e), 65L)
  expect_identical(exit_code(simpleError("any")), 70L)
  told <- describe_error(e, "inputs")
  expect_identical(
    told[c("status", "class", "message", "field", "cause", "step")],
    list(
      status = "error", class = "mmm_data_error", message = "Column `x` is odd.", field = "x",
      cause = "disk full", step = "inputs"
    )
  )
  expect_error(abort("other_error", "no"))
})

test_that("every class has an exit code of the job's", {
  expect_true(all(ERROR_EXIT_CODES %in% c(64L, 65L, 70L, 75L)))
})

test_that("the nearest name is offered, a far one is not", {
  expect_identical(nearest("geometrc", CONFIG_ENUMS$adstock), " (did you mean `geometric`?)")
  expect_identical(nearest("banana", CONFIG_ENUMS$adstock), "")
  expect_identical(nearest("x", character()), "")
})

test_that("a missing column is named with field and columns", {
  data <- data.frame(revenue = 1, tv = 2)
  expect_invisible(check_columns(data, "tv", "channel_spends"))
  expect_error(
    check_columns(data, "revenu", "target"),
    "`target` names the column `revenu`.*did you mean `revenue`.*revenue, tv",
    class = "mmm_data_error"
  )
})
