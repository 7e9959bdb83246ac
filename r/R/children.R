# The processes that a run starts, and the files that they write. When the job ends, it ends R's
# whole process group, so no child outlives it.

#' Apply `f` to every element of `x` in forked children, one child per element.
#'
#' A child that fails or is killed (out of memory) affects its own element only.
#'
#' @param cores maximum number of children at a time.
#' @return list as long as `x`: the value of `f`, or a condition of class "error". The condition of
#'   a killed child has the class mmm_killed_error.
#' @noRd
map_children <- function(x, f, cores) {
  stopifnot(is.function(f), cores >= 1)
  lost <- simpleError("its process was killed, most often because memory ran out")
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
    # mccollect warns about a child that ends without a result; `lost` covers that.
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
#' @param dir folder of this run alone. Removes what a killed attempt left there.
#' @noRd
use_temp_dir <- function(dir) {
  unlink(Sys.glob(file.path(dir, "Rtmp*")), recursive = TRUE)
  unlink(tempdir(), recursive = TRUE)
  Sys.setenv(TMPDIR = dir)
  tempdir(check = TRUE)
}

#' Write a file with `writer(path)` under a temporary name, then rename it to `path`.
#' @noRd
write_atomically <- function(path, writer) {
  temporary <- sprintf("%s.%d.tmp", path, Sys.getpid())
  writer(temporary)
  if (!file.rename(temporary, path)) {
    abort("mmm_model_error", "Cannot write `", path, "`.")
  }
  invisible(path)
}

#' Write `value` as JSON to `path`, with full precision and null for missing values.
#' @noRd
write_json <- function(value, path) {
  write_atomically(path, function(temporary) {
    json <- jsonlite::toJSON(
      value, auto_unbox = TRUE, digits = NA, null = "null", na = "null", pretty = TRUE
    )
    writeLines(json, temporary)
  })
}
