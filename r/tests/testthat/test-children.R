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

test_that("a child ends when its parent is killed", {
  pid_file <- tempfile()
  lib <- normalizePath(file.path("..", "..", "lib"))
  script <- tempfile(fileext = ".R")
  writeLines(sprintf(
    "for (f in list.files('%s', full.names = TRUE)) source(f)
     parent <- Sys.getpid()
     map_children(1, function(i) {
       writeLines(as.character(c(parent, Sys.getpid())), '%s.tmp')
       file.rename('%s.tmp', '%s')
       Sys.sleep(60)
     }, 1)", lib, pid_file, pid_file, pid_file
  ), script)
  system2(
    file.path(R.home("bin"), "Rscript"), shQuote(script), stdout = FALSE, stderr = FALSE,
    wait = FALSE
  )
  wait_for <- function(condition) {
    for (i in 1:100) {
      if (condition()) return(TRUE)
      Sys.sleep(0.1)
    }
    FALSE
  }
  expect_true(wait_for(function() file.exists(pid_file)))
  pids <- as.integer(readLines(pid_file))
  child <- pids[2]
  alive <- function() {
    # Signal 0 finds zombies too, which are dead.
    state <- tryCatch(
      suppressWarnings(readLines(sprintf("/proc/%d/stat", child))), error = function(e) ""
    )
    nzchar(state) && !grepl(") Z ", state, fixed = TRUE)
  }
  expect_true(alive())
  tools::pskill(pids[1], tools::SIGKILL)
  expect_true(wait_for(function() !alive()))
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
