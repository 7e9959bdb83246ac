# Coverage of r/R by the tests: Rscript r/tests/coverage.R [filter]. Needs the package covr.
#
# R processes that the tests start (run_all.R) use the installed package and are not counted.
own <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1])
root <- normalizePath(file.path(dirname(own), ".."))
filter <- commandArgs(TRUE)
tests <- sprintf(
  "testthat::test_dir(%s, package = 'mmmtrainer', load_package = 'installed', filter = %s,
    reporter = 'summary', stop_on_failure = FALSE, stop_on_warning = FALSE)",
  deparse(file.path(root, "tests", "testthat")), if (length(filter)) deparse(filter[1]) else "NULL"
)
# Tests kill children, which may leave an incomplete trace. It cannot be read, and is removed.
clean <- "for (trace in Sys.glob(file.path(system.file(package = 'mmmtrainer'), 'covr_trace_*'))) {
  if (inherits(try(readRDS(trace), silent = TRUE), 'try-error')) unlink(trace)
}"
# Forked children write their trace before they end.
options(covr.fix_parallel_mcexit = TRUE)
print(covr::package_coverage(root, type = "none", code = c(tests, clean)))
