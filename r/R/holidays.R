# Holidays for prophet, at the frequency of the data.

#' Read a table of holidays: ds, holiday, country, year.
#'
#' @return data.frame in the file's order, or NULL if `path` is NULL.
#' @noRd
read_holidays <- function(path) {
  if (is.null(path)) return(NULL)
  holidays <- data.table::fread(
    path, data.table = FALSE, na.strings = "", encoding = "UTF-8",
    colClasses = c(ds = "character", holiday = "character", country = "character")
  )
  check_columns(holidays, c("ds", "holiday", "country", "year"), "holidays_csv")
  holidays$ds <- as.Date(holidays$ds)
  holidays
}

#' Move holidays to the first day of their period.
#'
#' Holidays in the same period become one holiday named "a, b", as in Robyn's set_holidays(). Like
#' Robyn, it keeps the holidays of two years in one week apart.
#'
#' @param holidays data.frame ds (Date), holiday, country, year.
#' @param frequency day, week, month.
#' @param first_date first date of the data; weeks start on its weekday.
#' @return data.frame ds, holiday, country, year.
#' @noRd
align_holidays <- function(holidays, frequency, first_date) {
  stopifnot(frequency %in% CONFIG_ENUMS$frequency)
  if (frequency == "day") return(holidays)
  ds <- holidays$ds
  period <- switch(frequency,
    week = ds - (as.POSIXlt(ds)$wday - as.POSIXlt(first_date)$wday) %% 7,
    month = as.Date(format(ds, "%Y-%m-01"))
  )
  table <- data.table::data.table(
    ds = period, holiday = holidays$holiday, country = holidays$country, year = holidays$year
  )
  joined <- table[, list(holiday = paste(holiday, collapse = ", ")), keyby = "ds,country,year"]
  as.data.frame(joined)[c("ds", "holiday", "country", "year")]
}
