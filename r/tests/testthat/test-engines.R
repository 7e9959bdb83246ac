test_that("auto is Robyn where it is installed", {
  here <- nzchar(system.file(package = "Robyn"))
  expect_identical(resolve_engine("auto"), if (here) "robyn" else "builtin")
  expect_identical(resolve_engine("builtin"), "builtin")
})

test_that("Robyn that is not there is refused", {
  skip_if(nzchar(system.file(package = "Robyn")), "Robyn is installed")
  expect_error(resolve_engine("robyn"), "not installed", class = "robyn_missing_error")
})

test_that("every engine has its four functions", {
  for (engine in c("builtin", "robyn")) {
    calls <- engine_calls(engine, "fast")
    expect_named(calls, c("inputs", "search", "outputs", "plots"))
    expect_true(all(vapply(calls, is.function, NA)))
    expect_identical(calls$search, run_trials)
  }
  expect_false(identical(engine_calls("robyn", "robyn")$search, run_trials))
  expect_error(engine_calls("builtin", "robyn"))
})

test_that("nevergrad itself is only needed where it proposes", {
  expect_false(uses_nevergrad(list(search = "fast", nevergrad_algo = "TwoPointsDE")))
  expect_true(uses_nevergrad(list(search = "robyn", nevergrad_algo = "TwoPointsDE")))
  expect_true(uses_nevergrad(list(search = "fast", nevergrad_algo = "OnePlusOne")))
})

test_that("no two files of the package define the same name", {
  files <- list.files(file.path("..", "..", "R"), "[.]R$", full.names = TRUE)
  names <- unlist(lapply(files, function(file) {
    Filter(Negate(is.null), lapply(parse(file), function(e) {
      if (is.call(e) && identical(e[[1]], as.name("<-")) && is.name(e[[2]])) as.character(e[[2]])
    }))
  }))
  expect_identical(names[duplicated(names)], character())
})
