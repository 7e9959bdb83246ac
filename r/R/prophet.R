# Trend, season, holidays and factors by prophet, as Robyn uses it.

#' Decompose the target.
#'
#' @param target numeric, one value per period.
#' @param dates Date, as long.
#' @param factors data.frame of character columns with as many rows; may have no column.
#' @param vars which components: of trend, season, monthly, weekday, holiday.
#' @param holidays data.frame for prophet (ds, holiday), already aligned, or NULL.
#' @return data.frame: one numeric column per component of `vars` and per factor; a factor's is
#'   the sum of its levels' effects, from zero up.
#' @noRd
prophet_components <- function(target, dates, factors, vars, holidays) {
  stopifnot(length(target) == length(dates), nrow(factors) == length(dates) || !ncol(factors))
  history <- data.frame(ds = dates, y = target)
  # A level may be any text, but prophet takes few names, so its regressors get names of their own.
  levels <- lapply(stats::setNames(nm = names(factors)), function(name) {
    columns <- one_hot(factors[[name]], name)
    number <- sprintf("%02d_%02d", match(name, names(factors)), seq_along(columns))
    stats::setNames(columns, paste0("level_", number))
  })
  model <- prophet::prophet(
    holidays = if ("holiday" %in% vars) holidays,
    yearly.seasonality = "season" %in% vars,
    weekly.seasonality = "weekday" %in% vars,
    daily.seasonality = FALSE
  )
  if ("monthly" %in% vars) {
    model <- prophet::add_seasonality(model, name = "monthly", period = 30.5, fourier.order = 5)
  }
  for (level in unlist(lapply(levels, names))) model <- prophet::add_regressor(model, level)
  if (length(levels)) history <- cbind(history, do.call(cbind, unname(levels)))
  forecast <- run_prophet(model, history)

  source <- c(
    trend = "trend", season = "yearly", monthly = "monthly", weekday = "weekly",
    holiday = "holidays"
  )
  components <- lapply(stats::setNames(vars, vars), function(var) forecast[[source[[var]]]])
  effects <- lapply(levels, function(level) {
    effect <- rowSums(forecast[names(level)])
    effect - min(effect)
  })
  as.data.frame(c(components, effects), check.names = FALSE, optional = TRUE)
}

#' Fit and predict on the history itself, without samples: only the means are needed.
#' @noRd
run_prophet <- function(model, history) {
  model$uncertainty.samples <- 0
  tryCatch(
    {
      fitted <- suppressMessages(prophet::fit.prophet(model, history))
      stats::predict(fitted, history)
    },
    error = function(e) {
      abort("mmm_model_error", "prophet failed: ", conditionMessage(e), parent = e)
    }
  )
}

#' Dummy columns of a factor, one less than it has levels.
#'
#' As in Robyn's one-hot encoding, two levels give one column for the second level. More levels give
#' a column for each level but the last. Beyond ten levels, the rare ones become one level, OTHER.
#'
#' @return data.frame of 0/1 columns named `<name>_<level>`.
#' @noRd
one_hot <- function(values, name, limit = 10) {
  values <- ifelse(is.na(values), "NAs", as.character(values))
  if (length(unique(values)) >= 0.9 * length(values)) {
    abort("mmm_data_error", sprintf(
      "Factor `%s` has %d levels in %d rows; a factor must repeat its levels.", name,
      length(unique(values)), length(values)
    ), field = name)
  }
  if (length(unique(values)) == 2) {
    second <- levels(as.factor(values))[2]
    return(stats::setNames(data.frame(as.integer(values == second)), paste0(name, "_", second)))
  }
  counts <- table(values)
  kept <- names(counts)[order(-counts, names(counts))][seq_len(min(limit, length(counts)))]
  values[!values %in% kept] <- "OTHER"
  columns <- utils::head(sort(unique(values)), -1)
  dummies <- lapply(columns, function(level) as.numeric(values == level))
  stats::setNames(as.data.frame(dummies), paste0(name, "_", columns))
}
