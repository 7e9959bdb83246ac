test_that("versions of installed packages are told", {
  versions <- package_versions()
  expect_true(all(c("glmnet", "prophet", "data.table") %in% names(versions)))
  expect_identical(versions$glmnet, as.character(utils::packageVersion("glmnet")))
})

test_that("nevergrad's versions are told where it is installed", {
  skip_if_not_installed("reticulate")
  python <- Sys.getenv("RETICULATE_PYTHON")
  skip_if_not(nzchar(python), "RETICULATE_PYTHON is not set")
  quick <- check_nevergrad(python, load = FALSE)
  expect_identical(names(quick), c("nevergrad", "numpy", "python"))
  expect_identical(check_nevergrad(python, load = TRUE), quick)
})

test_that("the true cause is told where it is not", {
  skip_if_not_installed("reticulate")
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

test_that("dpkg-architecture tells its folder without a warning where no compiler is", {
  skip_if_not(nzchar(Sys.which("dpkg-architecture")), "dpkg-architecture is not installed")
  code <- c(
    "source('library.R', chdir = TRUE)",
    "tools <- file.path(tempdir(), c('perl', 'dpkg', 'dpkg-architecture'))",
    "invisible(file.symlink(Sys.which(basename(tools)), tools))",
    "withr::local_path(tempdir(), action = 'replace')",
    "cat(system2('dpkg-architecture', '-qDEB_HOST_MULTIARCH', stdout = TRUE, stderr = TRUE))"
  )
  script <- withr::local_tempfile(lines = code, fileext = ".R")
  withr::local_dir(file.path("..", ".."))
  withr::local_envvar(DEB_HOST_MULTIARCH = NA)
  said <- system2(file.path(R.home("bin"), "Rscript"), c("--vanilla", script), stdout = TRUE)
  expect_length(said, 1)
  expect_match(said, "^[a-z0-9_]+-linux-gnu[a-z0-9]*$")
})
