allocator_case <- function() {
  inputs <- example_inputs()
  models <- remember("models", function() run_trials(inputs, robyn_job(), memory_log()))
  made <- remember("made", function() {
    robyn_model_outputs(inputs, models, robyn_job(), reference = FALSE)
  })
  list(inputs = inputs, made = made)
}

test_that("Robyn's allocation comes in the columns of every engine", {
  skip_without_robyn()
  case <- allocator_case()
  cfg <- robyn_job(allocator_scenarios = list(
    list(scenario = "max_response", channel_high = 1.5), list(scenario = "target_efficiency")
  ))
  table <- robyn_allocations(case$inputs, case$made, cfg)
  expect_identical(names(table), names(case$made$tables$allocation))
  expect_identical(unique(table$scenario), c("max_response", "target_efficiency"))
  expect_identical(unique(table$model_id), case$made$best_model)
  first <- table[scenario == "max_response"]
  expect_equal(sum(first$spend_optimal), sum(first$spend_now), tolerance = 1e-3)
  expect_true(all(first$is_feasible))
  expect_true(all(first$spend_optimal <= first$upper_bound * (1 + 1e-6)))
  expect_equal(first$upper_bound, 1.5 * first$spend_now)
  expect_equal(first$lower_bound, 0.5 * first$spend_now)
  expect_gte(sum(first$response_optimal), sum(first$response_now))
  expect_identical(first$channel, c("tv", "ooh", "print", "facebook", "search"))
})

test_that("one paid channel, or an allocator that fails, is a warning without rows", {
  skip_without_robyn()
  case <- allocator_case()
  alone <- case$inputs
  alone$paid_media_selected <- "tv_S"
  expect_warning(none <- robyn_allocations(alone, case$made, robyn_job()), "two paid channels")
  expect_identical(nrow(none), 0L)
  made <- case$made
  made$best_model <- "9_9_9"
  expect_warning(none <- robyn_allocations(case$inputs, made, robyn_job()), "scenario 1")
  expect_identical(nrow(none), 0L)
  expect_identical(names(none), names(case$made$tables$allocation))
})

test_that("whether a goal is reached is told by the figures", {
  rows <- data.frame(
    optmSpendUnit = c(60, 40), optmResponseUnit = c(150, 90), initSpendUnit = c(50, 50),
    initResponseUnit = c(150, 150), total_budget_unit = 100
  )
  expect_true(allocation_goal(rows, list(scenario = "max_response"), "revenue")$feasible)
  rows$total_budget_unit <- 120
  expect_false(allocation_goal(rows, list(scenario = "max_response"), "revenue")$feasible)
  goal <- allocation_goal(rows, list(scenario = "target_efficiency"), "revenue")
  expect_equal(goal$target, 2.4)
  expect_true(goal$feasible)
  goal <- allocation_goal(rows, list(scenario = "target_efficiency"), "conversion")
  expect_equal(goal$target, 0.4)
  far <- list(scenario = "target_efficiency", target_value = 2)
  expect_false(allocation_goal(rows, far, "conversion")$feasible)
})
