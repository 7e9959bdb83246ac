test_that("the best models are drawn, the best first, within size", {
  made <- made_market()
  dir.create(made$cfg$output_dir, showWarnings = FALSE)
  paths <- write_onepagers(made$inputs, made$outputs, made$cfg, NULL)
  expect_length(paths, 2)
  expect_identical(basename(paths[1]), paste0(made$outputs$best_model, ".png"))
  expect_true(all(file.size(paths) > 20e3 & file.size(paths) < 500e3))
  expect_identical(readBin(paths[1], "raw", 4), as.raw(c(0x89, 0x50, 0x4e, 0x47)))
})

test_that("none are drawn where none are wanted", {
  made <- made_market()
  made$cfg$onepagers <- 0
  expect_identical(write_onepagers(made$inputs, made$outputs, made$cfg, NULL), character())
})

test_that("a picture that fails is a warning", {
  made <- made_market()
  made$cfg$onepagers <- 1
  made$cfg$output_dir <- tempfile()
  dir.create(made$cfg$output_dir)
  made$outputs$tables$response_curves <- NULL
  expect_warning(
    paths <- write_onepagers(made$inputs, made$outputs, made$cfg, NULL), "was not drawn"
  )
  expect_identical(paths, character())
})

test_that("numbers are short", {
  expect_identical(short_numbers(c(0, 999, 1234, 2.5e6, -3e9, NA)),
    c("0", "999", "1.23k", "2.5M", "-3bn", ""))
})
