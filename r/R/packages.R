# Which versions a result was made with.

#' Versions of the packages that decide numbers or pictures, those that are installed.
#'
#' @return named list of version texts.
#' @noRd
package_versions <- function() {
  packages <- c(
    "Robyn", "prophet", "rstan", "glmnet", "Matrix", "nloptr", "reticulate", "data.table",
    "jsonlite", "ggplot2", "patchwork", "lares", "dplyr"
  )
  installed <- Filter(function(p) nzchar(system.file(package = p)), packages)
  stats::setNames(lapply(installed, function(p) as.character(utils::packageVersion(p))), installed)
}

#' Stop with a nevergrad_error, which holds Python's own words, unless nevergrad is there.
#'
#' In a process of its own, so that this one stays free of Python until it has forked. Loading
#' nevergrad takes four seconds of processor time, so it is loaded only where it will be used; else
#' it is enough that it is installed beside a numpy that loads.
#'
#' @param python path of the interpreter.
#' @param load TRUE: import it.
#' @return list(nevergrad, numpy, python): versions.
#' @noRd
check_nevergrad <- function(python, load = TRUE) {
  refuse <- function(...) abort("nevergrad_error", ..., field = "python")
  if (!nzchar(Sys.which(python))) refuse("`python` is `", python, "`: no such program.")
  code <- paste(
    "import importlib.metadata, importlib.util, json, platform, numpy",
    if (load) "import nevergrad"
    else "if importlib.util.find_spec('nevergrad') is None: import nevergrad",
    "versions = {name: importlib.metadata.version(name) for name in ('nevergrad', 'numpy')}",
    "print(json.dumps({**versions, 'python': platform.python_version()}))", sep = "\n"
  )
  errors <- tempfile("nevergrad-")
  on.exit(unlink(errors))
  answer <- suppressWarnings(
    system2(python, c("-c", shQuote(code)), stdout = TRUE, stderr = errors)
  )
  if (!is.null(attr(answer, "status"))) {
    said <- utils::tail(Filter(nzchar, readLines(errors, warn = FALSE)), 1)
    refuse("`", python, "` cannot load nevergrad: ", said)
  }
  jsonlite::fromJSON(utils::tail(answer, 1))
}
