# Golden outputs: what Robyn's robyn_outputs and robyn_allocator make of a search.
#
#   Rscript r/tests/golden/make_outputs.R
#
# Needs Robyn 3.12.1. The searches are those of the cases of make_golden.R, whose models are equal
# to Robyn's; here it is what Robyn derives from them. A case becomes
# golden/outputs/<case>/{models,media,by_date,allocation}.csv.gz.

script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1])
golden_dir <- dirname(normalizePath(script))
source(file.path(golden_dir, "..", "..", "library.R"), chdir = TRUE)
suppressPackageStartupMessages(library(Robyn))
helpers <- file.path(golden_dir, "..", "testthat")
for (helper in c("helper-golden.R", "helper-search.R")) source(file.path(helpers, helper))
golden_path <- function(...) file.path(golden_dir, ...)

# Case of the search -> kind of target. As a conversion the same target gives CPA for ROAS.
CASES <- c(
  geometric = "revenue", weibull_pdf = "revenue", ts_validation = "revenue",
  de = "conversion"
)
MIN_CANDIDATES <- 30

write_table <- function(table, path) {
  connection <- gzfile(path, "wb", compression = 9)
  on.exit(close(connection))
  doubles <- vapply(table, is.double, NA) & !vapply(table, inherits, NA, "Date")
  table[doubles] <- lapply(table[doubles], function(x) signif(x, 15))
  data.table::fwrite(table, text <- tempfile(), na = "NA")
  writeLines(readLines(text), connection)
}

allocations <- function(inputs, outputs, id) {
  made <- lapply(c("max_response", "target_efficiency"), function(scenario) {
    allocated <- Robyn::robyn_allocator(
      InputCollect = inputs, OutputCollect = outputs, select_model = id, scenario = scenario,
      export = FALSE, plots = FALSE, quiet = TRUE
    )$dt_optimOut
    data.frame(scenario, allocated[c(
      "solID", "channels", "initSpendUnit", "initResponseUnitSim", "optmSpendUnit",
      "optmResponseUnit"
    )])
  })
  do.call(rbind, made)
}

for (case in names(CASES)) {
  golden <- read_golden(case)
  inputs <- golden$inputs
  inputs$dep_var_type <- CASES[[case]]
  for (table in c("dt_input", "dt_mod", "dt_modRollWind")) {
    inputs[[table]] <- tibble::as_tibble(inputs[[table]])
  }
  cfg <- search_cfg(golden$run)
  cfg$work_dir <- tempfile("work-")
  models <- mmmtrainer:::run_trials(inputs, cfg, mmmtrainer:::progress_log(NULL))
  sink(tempfile()) # Robyn's progress bar
  outputs <- Robyn::robyn_outputs(
    inputs, models, export = FALSE, min_candidates = MIN_CANDIDATES, quiet = TRUE,
    pareto_fronts = "auto"
  )
  sink()
  dir <- file.path(golden_dir, "outputs", case)
  dir.create(dir, recursive = TRUE, showWarnings = FALSE)
  columns <- c("solID", "robynPareto", "error_score", "cluster", "top_sol")
  write_table(as.data.frame(outputs$resultHypParam)[columns], file.path(dir, "models.csv.gz"))
  media <- as.data.frame(outputs$xDecompAgg)
  media <- media[media$rn %in% inputs$all_media, c(
    "solID", "rn", "mean_response", "mean_spend_adstocked", "mean_carryover", "roi_mean",
    "roi_total", "cpa_mean", "cpa_total", "boot_mean", "boot_se", "ci_low", "ci_up",
    "carryover_pct"
  )]
  write_table(media, file.path(dir, "media.csv.gz"))
  winners <- as.data.frame(outputs$clusters$models)
  best <- winners$solID[order(winners$error_score, winners$nrmse)][1]
  by_date <- as.data.frame(outputs$xDecompVecCollect)
  by_date <- by_date[by_date$solID == best, c("ds", inputs$all_ind_vars, "intercept", "depVarHat")]
  write_table(by_date, file.path(dir, "by_date.csv.gz"))
  write_table(allocations(inputs, outputs, best), file.path(dir, "allocation.csv.gz"))
}
