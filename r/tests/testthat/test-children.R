test_that("a child's value, error or death is its own", {
  found <- map_children(list(1, "stop", "die", NULL), function(x) {
    if (identical(x, "stop")) abort("mmm_data_error", "bad")
    if (identical(x, "die")) tools::pskill(Sys.getpid(), tools::SIGKILL)
    x
  }, cores = 2)
  expect_identical(found[[1]], 1)
  expect_s3_class(found[[2]], "mmm_data_error")
  expect_s3_class(found[[3]], "error")
  expect_match(conditionMessage(found[[3]]), "killed")
  expect_null(found[[4]])
  expect_length(map_children(list(), identity, 1), 0)
})

test_that("no more children run at a time than cores", {
  folder <- tempfile()
  dir.create(folder)
  running <- map_children(1:4, function(i) {
    file.create(file.path(folder, i))
    Sys.sleep(0.3)
    seen <- length(list.files(folder))
    unlink(file.path(folder, i))
    seen
  }, cores = 2)
  expect_lte(max(unlist(running)), 2)
})

test_that("a file is there wholly or not at all", {
  path <- tempfile()
  expect_error(write_atomically(path, function(p) {
    writeLines("half", p)
    stop("no space")
  }), "no space")
  expect_false(file.exists(path))
  write_json(list(a = 1 / 3, b = NULL, c = NA), path)
  expect_equal(jsonlite::fromJSON(path)$a, 1 / 3, tolerance = 1e-14)
  expect_match(paste(readLines(path), collapse = ""), "\"b\": null,\\s+\"c\": null")
})
