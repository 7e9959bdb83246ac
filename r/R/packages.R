# The versions that made a result.

#' Versions of the installed packages that affect numbers or pictures.
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

#' Stop with a nevergrad_error, which has Python's message, unless nevergrad is installed.
#'
#' Asks Python in another process, because R must not start Python before it forks. Loading
#' nevergrad takes four seconds of processor time, so it is loaded only if the job uses it.
#' Otherwise it must be installed, and numpy must load.
#'
#' @param python path of the interpreter.
#' @param load TRUE: import it.
#' @return list(nevergrad, numpy, python): versions.
#' @noRd
check_nevergrad <- function(python, load = TRUE) {
  refuse <- function(...) abort("nevergrad_error", ..., field = "python")
  if (load && !nzchar(system.file(package = "reticulate"))) {
    refuse(
      "The R package reticulate is not installed; it is the bridge to nevergrad. Install it, or ",
      "use an optimiser that needs no nevergrad: ", toString(names(OWN_OPTIMISERS)), "."
    )
  }
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
