# Losses of a made-up problem: some candidates tie, some have no finite loss.
made_up_losses <- function(x, objectives, step) {
  losses <- vapply(seq_len(objectives), function(k) mean((x - k / 5)^2) + 0.1 * sin(40 * x[1])^2, 0)
  if (step %% 37 == 0) losses[2] <- Inf
  if (step %% 11 == 0) losses[1] <- round(losses[1], 1)
  losses
}

compare_with_nevergrad <- function(name, dimension, budget, workers, objectives, weights, seed) {
  make <- function(own) {
    make_optimiser(name, dimension, budget, workers, objectives, weights, seed, own = own)
  }
  ours <- make(TRUE)
  theirs <- make(FALSE)
  for (step in seq_len(ceiling(budget / workers))) {
    asked <- ours$ask(workers)
    if (!identical(asked, theirs$ask(workers))) return(step)
    losses <- apply(asked, 2, made_up_losses, objectives = objectives, step = step)
    ours$tell(losses)
    theirs$tell(losses)
  }
  0
}

test_that("every draw is nevergrad's, to the last bit", {
  skip_if_not(nevergrad_here(), "nevergrad is not installed")
  expect_equal(compare_with_nevergrad("TwoPointsDE", 19, 400, 1, 2, c(1, 1), 124L), 0)
  expect_equal(compare_with_nevergrad("DE", 19, 250, 1, 2, c(1, 1), 7L), 0)
  expect_equal(compare_with_nevergrad("TwoPointsDE", 12, 250, 2, 2, c(0, 1), 5L), 0)
  expect_equal(compare_with_nevergrad("TwoPointsDE", 25, 250, 8, 3, c(1, 2, 0.5), 2147483L), 0)
  expect_equal(compare_with_nevergrad("TwoPointsDE", 3, 200, 3, 3, c(1, 1, 1), 5L), 0)
  expect_equal(compare_with_nevergrad("TwoPointsDE", 61, 250, 40, 2, c(1, 1), 5L), 0)
  expect_equal(compare_with_nevergrad("DE", 2, 200, 7, 2, c(3, 1), 5L), 0)
})

test_that("candidates stay in the box and follow the seed", {
  draw <- function(seed) {
    optimiser <- differential_evolution(6, 80, 1, 2, c(1, 1), seed)
    vapply(1:80, function(step) {
      x <- optimiser$ask()
      optimiser$tell(made_up_losses(x, 2, step))
      x[, 1]
    }, numeric(6))
  }
  one <- draw(1L)
  expect_true(all(one >= 0 & one <= 1))
  expect_identical(one, draw(1L))
  expect_false(identical(one, draw(2L)))
})

test_that("the front keeps its order, drops what is dominated and what is equal", {
  loss <- rbind(c(1, 3, 2, 2, 0.5), c(3, 1, 2, 2, 2.5))
  front <- integer()
  for (i in 1:3) front <- add_to_front(front, loss, i)
  expect_identical(front, 1:3)
  expect_identical(add_to_front(front, loss, 4L), 1:3)
  expect_identical(add_to_front(front, loss, 5L), c(2L, 3L, 5L))
})

test_that("a wrong number of losses is refused", {
  optimiser <- differential_evolution(6, 10, 2, 2, c(1, 1), 1L)
  optimiser$ask(2)
  expect_error(optimiser$tell(c(1, 2)))
})
