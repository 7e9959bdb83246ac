picture <- function(id, path) write_atomically(path, function(p) writeLines(id, p))

test_that("a picture that fails, is killed or starves is a warning, the others are drawn", {
  cfg <- list(output_dir = withr::local_tempdir(), cores = 2)
  said <- character()
  paths <- withCallingHandlers(
    draw_pictures(c("good", "bad", "dead", "hungry", "none"), cfg, function(id, path) {
      switch(id,
        good = picture(id, path),
        bad = stop("no such font"),
        dead = write_atomically(path, function(p) {
          writeLines("half", p)
          tools::pskill(Sys.getpid(), tools::SIGKILL)
          Sys.sleep(10)
        }),
        hungry = picture(id, paste0(path, length(raw(2 * PICTURE_LIMIT_MB * 2^20)))),
        none = NULL
      )
    }, "The drawing"),
    warning = function(w) {
      said <<- c(said, conditionMessage(w))
      invokeRestart("muffleWarning")
    }
  )
  expect_identical(basename(paths), "good.png")
  expect_match(said[1], "The drawing of model bad was not drawn: no such font")
  expect_match(said[2], "model dead was not drawn: .*killed")
  if (nzchar(Sys.which("prlimit"))) {
    expect_match(said[3], "model hungry was not drawn: cannot allocate")
  }
  expect_match(said[4], "model none was not drawn: no file")
  expect_length(said, 4)
  if (nzchar(Sys.which("prlimit"))) {
    expect_identical(list.files(file.path(cfg$output_dir, "onepagers")), "good.png")
  }
})
