# What the tests of the search share.

#' Two tables are the same: columns, rows, NA and Inf exactly, numbers within a relative tolerance.
expect_same_table <- function(ours, theirs, tolerance = 1e-9) {
  ours <- as.data.frame(ours)
  columns <- setdiff(names(theirs), c("Elapsed", "ElapsedAccum"))
  testthat::expect_identical(setdiff(names(ours), c("Elapsed", "ElapsedAccum")), columns)
  testthat::expect_identical(nrow(ours), nrow(theirs))
  wrong <- vapply(columns, function(column) {
    a <- theirs[[column]]
    b <- ours[[column]]
    if (!identical(is.na(b), is.na(a))) return("other values missing")
    if (!is.numeric(a)) return(if (identical(as.character(a), as.character(b))) "" else "differs")
    if (!identical(is.infinite(b), is.infinite(a))) return("other values infinite")
    relative <- abs(b - a) / pmax(abs(a), 1e-300)
    worst <- max(relative[is.finite(relative)], 0)
    if (worst <= tolerance) "" else sprintf("differs by %.2g", worst)
  }, "")
  testthat::expect_identical(wrong[nzchar(wrong)], stats::setNames(character(), character()))
}

#' The settings of a golden or live run of Robyn as the search takes them: Robyn's cores are asks
#' between tells.
search_cfg <- function(run) {
  run$workers <- run$cores
  run$cores <- 1L
  run
}

#' Rows of a table of ours for the models that `theirs` has, in its order.
same_models <- function(ours, theirs) {
  ours <- as.data.frame(ours)
  ours[ours$solID %in% theirs$solID, ]
}

nevergrad_here <- function() {
  requireNamespace("reticulate", quietly = TRUE) &&
    nzchar(Sys.getenv("RETICULATE_PYTHON")) && reticulate::py_module_available("nevergrad")
}

robyn_here <- function() nzchar(system.file(package = "Robyn")) && nevergrad_here()

#' A log that keeps what it is told.
memory_log <- function() {
  kept <- new.env()
  kept$checkpoints <- integer()
  kept$progress <- list()
  list(
    kept = kept, step = function(...) NULL, warning = function(...) NULL,
    progress = function(...) kept$progress[[length(kept$progress) + 1]] <- list(...),
    checkpoint = function(trial, path) kept$checkpoints <- c(kept$checkpoints, trial)
  )
}
