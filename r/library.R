# Where R finds the project's packages: in `.r-library` beside the folder `r`, then in R's own
# library path (R_LIBS and so on). Every R script of the project sources this file, with chdir =
# TRUE.

R_FOLDER <- getwd()
R_LIBRARY <- file.path(dirname(R_FOLDER), ".r-library")

if (dir.exists(R_LIBRARY)) {
  .libPaths(c(R_LIBRARY, .libPaths()))
  # R processes that this one starts use the same library.
  others <- setdiff(strsplit(Sys.getenv("R_LIBS"), ":", fixed = TRUE)[[1]], R_LIBRARY)
  Sys.setenv(R_LIBS = paste(c(R_LIBRARY, others), collapse = ":"))
  rm(others)
}

# prophet loads Debian's RcppParallel, which asks dpkg-architecture for the name of this folder.
# Without a compiler, dpkg-architecture answers with a warning too, unless this variable has it.
if (!nzchar(Sys.getenv("DEB_HOST_MULTIARCH"))) {
  multiarch <- basename(Sys.glob("/usr/lib/*-linux-gnu*"))
  if (length(multiarch) == 1) Sys.setenv(DEB_HOST_MULTIARCH = multiarch)
  rm(multiarch)
}

# The files that make the package mmmtrainer, each with its MD5 sum. The installed package keeps the
# lines of its own files as `built-from`.
package_sources <- function() {
  files <- sort(list.files(file.path(R_FOLDER, "R"), "[.]R$"), method = "radix")
  files <- c("DESCRIPTION", "NAMESPACE", file.path("R", files))
  paste(tools::md5sum(file.path(R_FOLDER, files)), files)
}

# A sentence that says why the installed mmmtrainer cannot be used; NULL where it can. An image has
# no sources to compare with.
package_problem <- function() {
  folder <- system.file(package = "mmmtrainer")
  if (!nzchar(folder)) {
    return(sprintf("The R package mmmtrainer is not installed in %s; run `make setup`.", R_LIBRARY))
  }
  if (!dir.exists(file.path(R_FOLDER, "R"))) return(NULL)
  stamp <- file.path(folder, "built-from")
  if (file.exists(stamp) && identical(readLines(stamp), package_sources())) return(NULL)
  sprintf(
    "The R package mmmtrainer in %s differs from its source in %s; run `make setup`.",
    dirname(folder), R_FOLDER
  )
}

# Stop unless the installed mmmtrainer can be used.
require_package <- function() {
  problem <- package_problem()
  if (!is.null(problem)) stop(problem, call. = FALSE)
}
