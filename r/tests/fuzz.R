# Random searches, through robyn_run and through ours, compared field by field.
#
#   Rscript r/tests/fuzz.R [runs] [first seed]
#
# Needs Robyn and nevergrad (RETICULATE_PYTHON). A seed decides a case wholly: its data (frequency,
# media, exposures, organic media, context, factors with several levels), its model (adstock, signs,
# fixed hyperparameters, calibration, prophet's variables) and its search (optimiser, asks between
# tells, weights, penalty factors, validation, intercept, refresh). Half of them go on to Robyn's
# outputs, CSVs and JSON. Ends with how many cases covered what, and with 1 where a case differs.

own <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1])
source(file.path(dirname(own), "..", "library.R"), chdir = TRUE)
require_package()
setwd(file.path(R_FOLDER, "tests", "testthat")) # nolint
# The helpers see what is internal to the package.
tests <- new.env(parent = asNamespace("mmmtrainer"))
for (file in list.files(pattern = "^helper-")) sys.source(file, tests)
invisible(Sys.setlocale("LC_COLLATE", "C"))
if (!nzchar(Sys.getenv("TZ"))) Sys.setenv(TZ = "UTC")
options(warn = 1)

main <- function(runs = 20, first = 1) {
  failed <- 0
  covered <- character()
  for (seed in seq(first, length.out = runs)) {
    began <- proc.time()[["elapsed"]]
    made <- tryCatch(tests$fuzz_run(tests$fuzz_case(seed)), error = function(e) {
      list(found = paste("error:", conditionMessage(e)))
    })
    found <- made$found
    failed <- failed + (length(found) > 0)
    covered <- c(covered, made$covered)
    cat(sprintf("seed %d %s %.0f s: %s\n", seed, if (length(found)) "DIFFERS" else "same",
      proc.time()[["elapsed"]] - began, paste(made$covered, collapse = ", ")))
    if (length(found)) cat(paste0("  ", utils::head(found, 12), "\n"), sep = "")
  }
  counts <- sort(table(covered), decreasing = TRUE)
  cat(paste0(names(counts), " ", counts, collapse = "; "), "\n", sep = "")
  cat(sprintf("%d of %d cases differ\n", failed, runs))
  quit("no", as.integer(failed > 0))
}

arguments <- as.numeric(commandArgs(TRUE))
do.call(main, as.list(arguments))
