# Expected numbers: numpy 1.26.4, np.random.seed(s) and then the calls in order.

test_that("a seeded stream gives numpy's words, units, normals, integers and choices", {
  random <- numpy_random(124)
  expect_identical(random$word(), 455545294)
  expect_identical(random$word(), 2996933276)
  expect_equal(random$unit(), 0.745471484885613, tolerance = 1e-15)
  expect_equal(random$normal(3), c(-1.33800442, 2.31701567, -1.46737593), tolerance = 1e-8)
  expect_identical(random$below(10), 5)
  expect_equal(random$two_of(10), c(4, 2))
})

test_that("a draw from one value takes no word", {
  a <- numpy_random(5)
  b <- numpy_random(5)
  expect_identical(a$below(1), 0)
  expect_identical(a$word(), b$word())
})

test_that("long streams go on across blocks, and R's own state is left alone", {
  set.seed(3)
  before <- .Random.seed
  a <- numpy_random(9)
  words <- vapply(seq_len(3 * NUMPY_BLOCK), function(i) a$word(), 0)
  expect_identical(.Random.seed, before)
  expect_true(all(words >= 0 & words < 2^32))
  expect_gt(length(unique(words)), 12000)
})

test_that("following the swaps gives the shuffled first two", {
  for (seed in 1:20) {
    set.seed(seed)
    n <- sample(2:40, 1)
    partner <- vapply(seq_len(n - 1), function(i) sample(0:i, 1), 0L)
    shuffled <- 0:(n - 1)
    for (i in (n - 1):1) {
      shuffled[c(i, partner[i]) + 1] <- shuffled[c(partner[i], i) + 1]
    }
    expect_equal(c(follow_swaps(0, partner), follow_swaps(1, partner)), shuffled[1:2])
  }
})

test_that("a seed that numpy refuses is refused", {
  expect_error(numpy_random(-1))
  expect_error(numpy_random(2^32))
  expect_error(numpy_random(1.5))
})
