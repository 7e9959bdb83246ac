# Inputs of engine builtin. They have the fields of Robyn's InputCollect, so both engines share one
# search and one set of outputs.

#' Make the modelling table and everything else that the search needs.
#'
#' @param cfg the job's configuration (read_config).
#' @param data read_data's data.frame.
#' @return list of class "mmm_inputs"; dt_mod has ds, dep_var and every variable of the model,
#'   exposures scaled to currency; dt_modRollWind its window. Errors: mmm_data_error.
#' @noRd
builtin_inputs <- function(cfg, data) {
  dates <- data[[cfg$date_column]]
  window <- model_window(dates, cfg$window_start, cfg$window_end)
  check_variables(data, cfg, window$rows)
  selected <- cfg$channel_exposures
  media <- c(selected, cfg$organic)
  variables <- c(cfg$prophet_vars, cfg$context, media)
  in_window <- window$rows[1]:window$rows[2]
  costs <- exposure_costs(data, cfg$channel_spends, selected, in_window)
  table <- modelling_table(cfg, data, costs)[c("ds", "dep_var", variables)]
  structure(
    class = c("mmm_inputs", "list"),
    list(
      dt_input = data, dt_holidays = NULL, dt_mod = table, dt_modRollWind = table[in_window, ],
      xDecompAggPrev = NULL, date_var = cfg$date_column,
      dayInterval = as.integer(dates[2] - dates[1]), intervalType = cfg$frequency,
      dep_var = cfg$target, dep_var_type = cfg$target_kind,
      prophet_vars = cfg$prophet_vars, prophet_signs = cfg$prophet_signs,
      prophet_country = cfg$prophet_country,
      context_vars = cfg$context, context_signs = cfg$context_signs,
      paid_media_vars = cfg$channel_exposures, paid_media_signs = cfg$channel_signs,
      paid_media_spends = cfg$channel_spends, paid_media_selected = selected,
      paid_media_total = sum(data[in_window, cfg$channel_spends]),
      exposure_vars = setdiff(selected, cfg$channel_spends),
      organic_vars = cfg$organic, organic_signs = cfg$organic_signs, all_media = media,
      all_ind_vars = variables, factor_vars = cfg$factors,
      unused_vars = setdiff(names(data), used_columns(cfg)),
      window_start = window$start, rollingWindowStartWhich = window$rows[1],
      window_end = window$end, rollingWindowEndWhich = window$rows[2],
      rollingWindowLength = length(in_window), totalObservations = nrow(data),
      refreshAddedStart = window$start, adstock = cfg$adstock,
      hyperparameters = complete_hyperparameters(cfg, media),
      calibration_input = lift_tests(cfg), custom_params = list(),
      ExposureCollect = list(df_cpe = costs, paid_media_selected = selected)
    )
  )
}

#' Spend per unit of exposure, over all rows and within the window; 1 if the model uses spend.
#' @noRd
exposure_costs <- function(data, spends, selected, in_window) {
  data.frame(
    paid_media_selected = selected,
    cpe = mapply(function(s, e) sum(data[[s]]) / sum(data[[e]]), spends, selected),
    cpe_window = mapply(
      function(s, e) sum(data[in_window, s]) / sum(data[in_window, e]), spends, selected
    ),
    row.names = NULL
  )
}

#' All columns of the model: data and prophet's components, with exposures in currency.
#' @noRd
modelling_table <- function(cfg, data, costs) {
  table <- data.frame(ds = data[[cfg$date_column]], dep_var = data[[cfg$target]])
  table[cfg$context] <- data[cfg$context]
  for (i in seq_len(nrow(costs))) {
    media <- costs$paid_media_selected[i]
    table[[media]] <- data[[media]] * costs$cpe_window[i]
  }
  table[cfg$organic] <- data[cfg$organic]
  # prophet turns factors into numbers, even if the model uses none of its components.
  if (length(cfg$prophet_vars) || length(cfg$factors)) {
    components <- prophet_components(
      table$dep_var, table$ds, data[cfg$factors], cfg$prophet_vars, job_holidays(cfg, table$ds[1])
    )
    table[names(components)] <- components
  }
  table
}

#' The country's holidays at the data's frequency; NULL if the model has no holidays.
#' @noRd
job_holidays <- function(cfg, first_date) {
  if (!"holiday" %in% cfg$prophet_vars) return(NULL)
  holidays <- read_holidays(cfg$holidays_csv)
  holidays <- holidays[holidays$country == cfg$prophet_country, ]
  align_holidays(holidays, cfg$frequency, first_date)
}

#' The ranges of the search: those of the job, and defaults for the rest.
#' @noRd
complete_hyperparameters <- function(cfg, media) {
  ranges <- cfg$hyperparameters
  missing <- setdiff(hyperparameter_names(cfg$adstock, media), names(ranges))
  ranges[missing] <- DEFAULT_RANGES[sub("^.*_", "", missing)]
  if (is.null(ranges$train_size)) ranges$train_size <- c(0.5, 0.8)
  ranges
}

#' Lift tests as the search takes them: a row per test, with the model's names in
#' `channel_selected`.
#'
#' @return data.frame with Robyn's calibration_input columns, or NULL without tests.
#' @noRd
lift_tests <- function(cfg) {
  tests <- cfg$calibration
  if (!length(tests) || !NROW(tests)) return(NULL)
  tests <- as.data.frame(tests)
  tests$liftStartDate <- as.Date(tests$liftStartDate)
  tests$liftEndDate <- as.Date(tests$liftEndDate)
  named <- c(stats::setNames(cfg$channel_exposures, cfg$channel_spends),
    stats::setNames(cfg$organic, cfg$organic))
  tests$channel_selected <- vapply(strsplit(tests$channel, "+", fixed = TRUE), function(p) {
    paste(ifelse(p %in% named, p, named[p]), collapse = "+")
  }, "")
  tests
}
