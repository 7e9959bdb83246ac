# Coverage of r/R by the tests, by file: Rscript r/tests/coverage.R [filter]. Needs the package covr.
own <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1])
root <- normalizePath(file.path(dirname(own), ".."))
filter <- commandArgs(TRUE)
run <- sprintf(
  "testthat::test_dir(%s, package = 'mmmtrainer', load_package = 'installed', filter = %s,
    reporter = 'summary', stop_on_failure = FALSE, stop_on_warning = FALSE)",
  deparse(file.path(root, "tests", "testthat")), if (length(filter)) deparse(filter[1]) else "NULL"
)
# Forked children write what they covered before they end.
options(covr.fix_parallel_mcexit = TRUE)
print(covr::package_coverage(root, type = "none", code = run))
