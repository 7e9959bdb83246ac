write_data <- function(data) {
  path <- tempfile(fileext = ".csv")
  data.table::fwrite(data, path)
  path
}

test_that("data is sorted, typed and kept in full precision", {
  data <- simulated_market()$data
  data$promotion[3] <- "NA"
  read <- read_data(job_config(data_csv = write_data(data[rev(seq_len(nrow(data))), ])))
  expect_identical(read$DATE, data$DATE)
  expect_equal(read$revenue, data$revenue, tolerance = 1e-14)
  expect_type(read$promotion, "character")
  expect_identical(read$promotion[3], "NA")
  expect_type(read$clicks, "double")
})

test_that("logical columns become numbers unless they are factors", {
  data <- simulated_market()$data
  data$price <- data$price > 10
  read <- read_data(job_config(data_csv = write_data(data)))
  expect_identical(read$price, as.numeric(data$price))
})

test_that("data that cannot be modelled is refused with its column", {
  good <- simulated_market()$data
  refused <- function(pattern, change, ...) {
    data <- change(good)
    expect_error(read_data(job_config(data_csv = write_data(data), ...)), pattern,
      class = "mmm_data_error")
  }
  refused("`clicks` has 1 missing", function(d) {
    d$clicks[5] <- NA
    d
  })
  refused("`price` contains text \\(`ten`\\)", function(d) {
    d$price <- as.character(d$price)
    d$price[2] <- "ten"
    d
  })
  refused("2021-01-18 more than once", function(d) {
    d$DATE[4] <- d$DATE[3]
    d
  })
  refused("2021-02-08 follows 2021-01-25", function(d) d[-5, ])
  refused("`DATE` has the value `04.01.2021`", function(d) {
    d$DATE <- format(d$DATE, "%d.%m.%Y")
    d
  })
  refused("2 rows", function(d) d[1:2, ])
  refused("`organic` names the column `news`.*did you mean", identity, organic = "news")
  refused("first day of each month", function(d) d[1:3, ], frequency = "month")
})

test_that("the window is snapped to the data", {
  dates <- as.Date("2021-01-04") + 7 * 0:9
  window <- model_window(dates, as.Date("2021-01-13"), as.Date("2021-02-20"))
  expect_identical(window$start, as.Date("2021-01-11"))
  expect_identical(window$rows, c(2L, 8L))
  expect_identical(model_window(dates, NULL, NULL)$rows, c(1L, 10L))
  expect_error(model_window(dates, as.Date("2022-01-01"), NULL), class = "mmm_data_error")
  expect_error(model_window(dates, as.Date("2021-02-01"), as.Date("2021-01-04")),
    class = "mmm_data_error")
})

test_that("negative, silent and constant columns are refused, few rows warned of", {
  cfg <- job_config()
  data <- simulated_market()$data
  rows <- c(1L, nrow(data))
  expect_silent(check_variables(data, cfg, rows))
  with <- function(column, values) {
    data[[column]] <- values
    data
  }
  expect_error(check_variables(with("clicks", -1), cfg, rows), "`clicks` has negative")
  late <- c(rep(0, 100), rep(1, nrow(data) - 100))
  expect_error(check_variables(with("tv_spend", late), cfg, c(1L, 90L)), "`tv_spend` is zero")
  expect_error(check_variables(with("price", 3), cfg, rows), "`price` never changes")
  expect_warning(check_variables(data, cfg, c(1L, 50L)), "ten rows per variable")
})
