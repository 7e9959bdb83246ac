# Golden numbers of Robyn's own runs (r/tests/golden), see make_golden.R.

golden_path <- function(...) file.path("..", "golden", ...) # testthat runs in its own folder

# `optimisers` has one table of many searches, see test-search.R.
golden_cases <- function() {
  setdiff(dirname(list.files(golden_path(), "^setup[.]json$", recursive = TRUE)), "optimisers")
}

#' Read a golden case.
#'
#' @return list: inputs (an InputCollect as far as the search reads it), run (arguments of
#'   robyn_run), resultHypParam (all models, without timing), xDecompAgg and liftCalibration (the
#'   first models of trial 1; liftCalibration NULL without calibration), setup (the rest).
read_golden <- function(case) {
  setup <- jsonlite::fromJSON(golden_path(case, "setup.json"))
  inputs <- lapply(setup$inputs, unnest)
  for (field in c("window_start", "window_end", "refreshAddedStart")) {
    inputs[[field]] <- as.Date(inputs[[field]])
  }
  for (field in c("hyperparameters")) inputs[[field]] <- lapply(inputs[[field]], unnest)
  if (!is.null(inputs$calibration_input)) {
    tests <- inputs$calibration_input
    tests$liftStartDate <- as.Date(tests$liftStartDate)
    tests$liftEndDate <- as.Date(tests$liftEndDate)
    inputs$calibration_input <- tests
  }
  for (table in c("dt_input", "dt_mod", "xDecompAggPrev")) {
    inputs[[table]] <- read_golden_table(setup[[table]])
  }
  rows <- inputs$rollingWindowStartWhich:inputs$rollingWindowEndWhich
  inputs$dt_modRollWind <- inputs$dt_mod[rows, ]
  run <- setup$run
  for (field in intersect(c("seed", "cores", "trials", "iterations"), names(run))) {
    run[[field]] <- as.integer(run[[field]])
  }
  list(
    inputs = structure(inputs, class = c("robyn_inputs", "list")), run = run,
    resultHypParam = read_golden_csv(golden_path(case, "resultHypParam.csv.gz")),
    xDecompAgg = read_golden_csv(golden_path(case, "xDecompAgg.csv.gz")),
    liftCalibration = read_golden_csv(golden_path(case, "liftCalibration.csv.gz")),
    setup = setup
  )
}

# jsonlite reads an array of equal-length arrays as a matrix, an empty one as list().
unnest <- function(x) if (is.list(x) && !length(x)) character() else if (is.matrix(x)) x[1, ] else x

read_golden_csv <- function(path) {
  if (!file.exists(path)) return(NULL)
  utils::read.csv(path, check.names = FALSE, stringsAsFactors = FALSE)
}

read_golden_table <- function(described) {
  if (is.null(described)) return(NULL)
  table <- read_golden_csv(golden_path("tables", paste0(described$table, ".csv.gz")))
  for (column in names(table)) {
    class <- described$classes[[column]]
    if (class == "Date") table[[column]] <- as.Date(table[[column]])
    if (class == "numeric") table[[column]] <- as.numeric(table[[column]])
    if (class == "character") table[[column]] <- as.character(table[[column]])
    if (class == "factor") {
      table[[column]] <- factor(table[[column]], levels = described$levels[[column]])
    }
  }
  table
}
