test_that("pictures share what memory is left, and one is always tried", {
  expect_equal(picture_cores(8, used_mb = 100, free_mb = Inf), 3)
  expect_equal(picture_cores(2, used_mb = 100, free_mb = Inf), 2)
  expect_equal(picture_cores(8, used_mb = 620, free_mb = 8000), 1)
  expect_equal(picture_cores(8, used_mb = 100, free_mb = 700), 2)
  expect_equal(picture_cores(8, used_mb = 2000, free_mb = 10), 1)
})

test_that("the memory that is left is the container's where that is less than the machine's", {
  folder <- tempfile("cgroup-")
  dir.create(folder)
  meminfo <- file.path(folder, "meminfo")
  writeLines(c("MemTotal: 4096000 kB", "MemAvailable: 2048000 kB"), meminfo)
  expect_equal(memory_left(meminfo, folder), 2000)

  writeLines("max", file.path(folder, "memory.max"))
  writeLines(as.character(100 * 2^20), file.path(folder, "memory.current"))
  expect_equal(memory_left(meminfo, folder), 2000)
  writeLines(as.character(500 * 2^20), file.path(folder, "memory.max"))
  expect_equal(memory_left(meminfo, folder), 400)

  unlink(file.path(folder, c("memory.max", "memory.current")))
  dir.create(file.path(folder, "memory"))
  write <- function(name, mb) {
    writeLines(format(mb * 2^20, scientific = FALSE), file.path(folder, "memory", name))
  }
  write("memory.limit_in_bytes", 1024)
  write("memory.usage_in_bytes", 724)
  expect_equal(memory_left(meminfo, folder), 300)
})

test_that("this process's memory is a number of megabytes", {
  skip_if_not(file.exists("/proc/self/status"), "no /proc")
  before <- memory_in_use()
  block <- rep(1, 2^23) # 64 MB, touched
  expect_gt(memory_in_use(), before + 50)
  expect_gt(memory_left(), 0)
  expect_length(block, 2^23)
})

test_that("a child that takes more than its share gets an error, and is the first to be ended", {
  skip_if_not(nzchar(Sys.which("prlimit")), "prlimit is not installed")
  found <- map_children(c(50e6, 400e6), function(bytes) {
    limit_memory(200)
    c(length(raw(bytes)), as.numeric(readLines("/proc/self/oom_score_adj")))
  }, 1)
  expect_identical(found[[1]], c(50e6, 1000))
  expect_s3_class(found[[2]], "error")
  expect_match(conditionMessage(found[[2]]), "cannot allocate")
  expect_length(raw(400e6), 400e6)
})
