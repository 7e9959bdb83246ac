# Random searches, through robyn_run and through ours, compared field by field.
#
#   Rscript r/tests/fuzz.R [runs] [first seed]
#
# Needs Robyn and nevergrad (RETICULATE_PYTHON). A seed decides a case wholly: its data (frequency,
# media, exposures, organic media, context, factors with several levels), its model (adstock, signs,
# fixed hyperparameters, calibration, prophet's variables) and its search (optimiser, asks between
# tells, weights, penalty factors, validation, intercept). Ends with 1 where a case differs.

own <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1])
setwd(file.path(dirname(normalizePath(own)), "testthat")) # nolint
sources <- c(list.files("../../lib", "[.]R$", full.names = TRUE), list.files(pattern = "^helper-"))
for (file in sources) source(file)
invisible(Sys.setlocale("LC_COLLATE", "C"))
if (!nzchar(Sys.getenv("TZ"))) Sys.setenv(TZ = "UTC")
options(warn = 1)

main <- function(runs = 20, first = 1) {
  failed <- 0
  for (seed in seq(first, length.out = runs)) {
    began <- proc.time()[["elapsed"]]
    case <- fuzz_case(seed)
    found <- tryCatch(fuzz_run(case), error = function(e) paste("error:", conditionMessage(e)))
    failed <- failed + (length(found) > 0)
    cat(sprintf("seed %d %s %s %.0f s\n", seed, if (length(found)) "DIFFERS" else "same",
      describe_case(case), proc.time()[["elapsed"]] - began))
    if (length(found)) cat(paste0("  ", utils::head(found, 12), "\n"), sep = "")
  }
  cat(sprintf("%d of %d cases differ\n", failed, runs))
  quit("no", as.integer(failed > 0))
}

arguments <- as.numeric(commandArgs(TRUE))
do.call(main, as.list(arguments))
