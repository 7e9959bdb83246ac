# Install the package mmmtrainer from this folder into `.r-library` beside it: Rscript r/install.R
#
# Does nothing where the installed package has the same sources. Needs no compiler.

own <- sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[1])
source(file.path(dirname(own), "library.R"), chdir = TRUE)

if (is.null(package_problem())) quit("no", 0L)
cat("R package mmmtrainer ...\n")
dir.create(R_LIBRARY, showWarnings = FALSE)
# From a copy, so that the sums of the sources are installed together with the package.
copy <- file.path(tempdir(), "mmmtrainer")
dir.create(file.path(copy, "inst"), recursive = TRUE)
parts <- file.path(R_FOLDER, c("DESCRIPTION", "NAMESPACE", "R"))
invisible(file.copy(parts, copy, recursive = TRUE))
writeLines(package_sources(), file.path(copy, "inst", "built-from"))
command <- c(
  "CMD", "INSTALL", "--no-docs", "--no-multiarch", "--no-test-load",
  paste0("--library=", shQuote(R_LIBRARY)), shQuote(copy)
)
said <- suppressWarnings(
  system2(file.path(R.home("bin"), "R"), command, stdout = TRUE, stderr = TRUE)
)
if (!is.null(attr(said, "status"))) {
  writeLines(said, stderr())
  quit("no", 1L)
}
