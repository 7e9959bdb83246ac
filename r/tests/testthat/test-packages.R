test_that("versions of installed packages are told", {
  versions <- package_versions()
  expect_true(all(c("glmnet", "prophet", "data.table") %in% names(versions)))
  expect_identical(versions$glmnet, as.character(utils::packageVersion("glmnet")))
})

test_that("nevergrad's versions are told where it is installed", {
  python <- Sys.getenv("RETICULATE_PYTHON")
  skip_if_not(nzchar(python), "RETICULATE_PYTHON is not set")
  quick <- check_nevergrad(python, load = FALSE)
  expect_identical(names(quick), c("nevergrad", "numpy", "python"))
  expect_identical(check_nevergrad(python, load = TRUE), quick)
})

test_that("the true cause is told where it is not", {
  expect_error(check_nevergrad("/no/python"), "no such program", class = "nevergrad_error")
  # A Python without site-packages has no nevergrad, whatever the machine has.
  bare <- tempfile("python-")
  writeLines(c("#!/bin/sh", "exec python3 -I -S \"$@\""), bare)
  Sys.chmod(bare, "755")
  for (load in c(TRUE, FALSE)) {
    expect_error(
      check_nevergrad(bare, load = load), "ModuleNotFoundError: No module named",
      class = "nevergrad_error"
    )
  }
})
