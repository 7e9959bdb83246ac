# Run Robyn as in its own example, and time every step:
#   Rscript robyn.R data DATA.csv HOLIDAYS.csv
#   Rscript robyn.R run FOLDER TRIALS ITERATIONS

own <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1])
source(file.path(dirname(own), "..", "..", "r", "library.R"), chdir = TRUE)
options(warn = 1)
arguments <- commandArgs(TRUE)

write_data <- function(data_csv, holidays_csv) {
  data <- as.data.frame(Robyn::dt_simulated_weekly)
  # 17 digits, so that both use the same numbers to the last bit.
  numbers <- vapply(data, is.numeric, NA)
  data[numbers] <- lapply(data[numbers], sprintf, fmt = "%.17g")
  data.table::fwrite(data, data_csv, quote = FALSE)
  holidays <- as.data.frame(Robyn::dt_prophet_holidays)
  data.table::fwrite(holidays[holidays$country == "DE", ], holidays_csv)
}

run <- function(folder, trials, iterations) {
  seconds <- list()
  timed <- function(name, code) {
    start <- proc.time()[["elapsed"]]
    value <- force(code)
    seconds[[name]] <<- proc.time()[["elapsed"]] - start
    value
  }
  timed("library", suppressPackageStartupMessages(library(Robyn)))
  media <- c("tv_S", "ooh_S", "print_S", "facebook_I", "search_clicks_P")
  inputs <- timed("inputs", {
    given <- robyn_inputs(
      dt_input = dt_simulated_weekly, dt_holidays = dt_prophet_holidays, date_var = "DATE",
      dep_var = "revenue", dep_var_type = "revenue",
      prophet_vars = c("trend", "season", "holiday"), prophet_country = "DE",
      context_vars = c("competitor_sales_B", "events"), factor_vars = "events",
      paid_media_spends = c("tv_S", "ooh_S", "print_S", "facebook_S", "search_S"),
      paid_media_vars = media, organic_vars = "newsletter", window_start = "2016-01-01",
      window_end = "2018-12-31", adstock = "geometric"
    )
    ranges <- list(alphas = c(0.5, 3), gammas = c(0.3, 1), thetas = c(0, 0.5))
    names <- hyper_names("geometric", given$all_media)
    hyperparameters <- stats::setNames(ranges[sub(".*_", "", names)], names)
    hyperparameters$train_size <- c(0.5, 0.8)
    robyn_inputs(InputCollect = given, hyperparameters = hyperparameters)
  })
  models <- timed("search", robyn_run(
    inputs, trials = trials, iterations = iterations, seed = 123L
  ))
  saveRDS(models, file.path(folder, "OutputModels.RDS"))
  collect <- timed("outputs", robyn_outputs(
    inputs, models, plot_folder = folder, plot_folder_sub = "outputs"
  ))
  best <- collect$clusters$models
  best <- as.character(best$solID[order(best$error_score)][1])
  timed("write", robyn_write(inputs, collect, select_model = best))
  timed("allocator", robyn_allocator(
    InputCollect = inputs, OutputCollect = collect, select_model = best,
    scenario = "max_response"
  ))
  answer <- list(
    seconds_by_step = seconds, best_model = best, winners = collect$clusters$models$solID
  )
  jsonlite::write_json(answer, file.path(folder, "answer.json"), auto_unbox = TRUE, digits = NA)
}

switch(arguments[1],
  data = write_data(arguments[2], arguments[3]),
  run = run(arguments[2], as.integer(arguments[3]), as.integer(arguments[4]))
)
