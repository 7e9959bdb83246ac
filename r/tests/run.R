# Run the tests: Rscript r/tests/run.R [filter], a regular expression of test files' names.
#
# Where Robyn is installed (in `.r-library` or by R_LIBS) they compare with Robyn itself too.
own <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1])
source(file.path(dirname(own), "..", "library.R"), chdir = TRUE)
require_package()
if (!nzchar(Sys.getenv("TZ"))) Sys.setenv(TZ = "UTC")
python <- file.path(dirname(R_FOLDER), ".venv-nevergrad", "bin", "python")
if (!nzchar(Sys.getenv("RETICULATE_PYTHON")) && file.exists(python)) {
  Sys.setenv(RETICULATE_PYTHON = python)
}
# Processes of ours that are there, dead ones that nobody waited for among them.
children <- function() {
  stats <- Sys.glob("/proc/[0-9]*/stat")
  read <- function(path) tryCatch(suppressWarnings(readLines(path)), error = function(e) "")
  fields <- sub("^.*[)] ", "", vapply(stats, function(path) read(path)[1], "", USE.NAMES = FALSE))
  stats[grepl(sprintf("^[A-Z] %d ", Sys.getpid()), fields)]
}

filter <- commandArgs(TRUE)
options(warn = 1)
testthat::test_dir(
  file.path(R_FOLDER, "tests", "testthat"), filter = if (length(filter)) filter[1],
  package = "mmmtrainer", load_package = "installed", reporter = "summary",
  stop_on_failure = TRUE, stop_on_warning = FALSE
)
for (wait in 1:50) if (length(children())) Sys.sleep(0.1)
if (length(children())) stop("The tests left processes behind: ", toString(children()))
