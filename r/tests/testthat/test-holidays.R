holidays <- data.frame(
  ds = as.Date(c("2018-12-31", "2019-01-01", "2019-01-06", "2019-01-07")),
  holiday = c("Silvester", "Neujahr", "Epiphany", "Monday"), country = "DE",
  year = c(2018, 2019, 2019, 2019)
)

test_that("holidays move to the first day of their week, those of a week are joined", {
  weekly <- align_holidays(holidays, "week", as.Date("2018-01-01"))
  expect_identical(
    format(weekly$ds), c("2018-12-31", "2018-12-31", "2019-01-07")
  )
  expect_identical(weekly$holiday, c("Silvester", "Neujahr, Epiphany", "Monday"))
  sunday <- align_holidays(holidays, "week", as.Date("2018-01-07"))
  expect_identical(format(sunday$ds), c("2018-12-30", "2018-12-30", "2019-01-06"))
  expect_identical(sunday$holiday[3], "Epiphany, Monday")
})

test_that("months start on the first, days stay", {
  monthly <- align_holidays(holidays, "month", as.Date("2018-01-01"))
  expect_identical(format(monthly$ds), c("2018-12-01", "2019-01-01"))
  expect_identical(align_holidays(holidays, "day", as.Date("2018-01-01")), holidays)
})

test_that("a table of holidays is read as it is, an incomplete one refused", {
  path <- tempfile(fileext = ".csv")
  utils::write.csv(holidays, path, row.names = FALSE)
  expect_equal(read_holidays(path), holidays)
  expect_null(read_holidays(NULL))
  utils::write.csv(holidays[-2], path, row.names = FALSE)
  expect_error(suppressWarnings(read_holidays(path)), "`holiday`", class = "mmm_data_error")
})
