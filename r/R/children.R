# Processes that the run starts, and the files that they write. The job ends the whole process group of
# R when it ends, however it ends; a child does not outlive it.

#' Apply `f` to every element of `x` in forked children, one child an element.
#'
#' A child that fails or is killed (memory) costs its own element only.
#'
#' @param cores greatest number of children at a time.
#' @return list as long as `x`: the value of `f`, or a condition of class "error"; of a child that
#'   was killed it has the class mmm_killed_error.
#' @noRd
map_children <- function(x, f, cores) {
  stopifnot(is.function(f), cores >= 1)
  lost <- simpleError("its process was killed, perhaps for want of memory")
  class(lost) <- c("mmm_killed_error", class(lost))
  results <- rep(list(lost), length(x))
  queue <- seq_along(x)
  running <- list()
  while (length(queue) || length(running)) {
    while (length(queue) && length(running) < cores) {
      i <- queue[1]
      queue <- queue[-1]
      job <- parallel::mcparallel(
        list(tryCatch(f(x[[i]]), error = identity)),
        name = as.character(i), mc.set.seed = FALSE
      )
      running[[job$name]] <- job
    }
    # A child that ends without a result is a warning of mccollect; here it is `lost`.
    done <- suppressWarnings(parallel::mccollect(unname(running), wait = FALSE, timeout = 5))
    for (name in names(done)) {
      if (!is.null(done[[name]])) results[as.integer(name)] <- done[[name]]
      running[[name]] <- NULL
    }
  }
  results
}

#' Put R's own temporary files, and those of programs it starts, under `dir`.
#'
#' @param dir folder of this run alone: what a killed attempt left there is removed.
#' @noRd
use_temp_dir <- function(dir) {
  unlink(Sys.glob(file.path(dir, "Rtmp*")), recursive = TRUE)
  unlink(tempdir(), recursive = TRUE)
  Sys.setenv(TMPDIR = dir)
  tempdir(check = TRUE)
}

#' Write by `writer(path)` to a temporary name beside `path`, then rename: never half a file.
#' @noRd
write_atomically <- function(path, writer) {
  temporary <- sprintf("%s.%d.tmp", path, Sys.getpid())
  writer(temporary)
  if (!file.rename(temporary, path)) {
    abort("mmm_model_error", "Cannot write `", path, "`.")
  }
  invisible(path)
}

#' Write `value` as JSON to `path`, numbers in full, missing ones as null.
#' @noRd
write_json <- function(value, path) {
  write_atomically(path, function(temporary) {
    json <- jsonlite::toJSON(
      value, auto_unbox = TRUE, digits = NA, null = "null", na = "null", pretty = TRUE
    )
    writeLines(json, temporary)
  })
}
