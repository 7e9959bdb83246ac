media <- list(
  tv = list(spend = 100, carryover = 20, coef = 500, alpha = 1.5, inflexion = 80),
  search = list(spend = 50, carryover = 0, coef = 400, alpha = 0.8, inflexion = 30),
  radio = list(spend = 30, carryover = 5, coef = 0, alpha = 1, inflexion = 30)
)

test_that("a budget is split as Robyn splits it, or better", {
  for (case in names(OUTPUT_CASES)) {
    made <- made_golden(case, OUTPUT_CASES[[case]])
    ours <- made$ours$tables$allocation[model_id == made$ours$best_model]
    for (wanted in c("max_response", "target_efficiency")) {
      robyn <- made$robyn$allocation[made$robyn$allocation$scenario == wanted, ]
      rows <- ours[scenario == wanted][match(robyn$channels, variable)]
      info <- paste(case, wanted)
      expect_near(rows$spend_now, robyn$initSpendUnit, info)
      expect_near(rows$response_now, robyn$initResponseUnitSim, info)
      expect_gte(sum(rows$response_optimal), sum(robyn$optmResponseUnit) * (1 - 1e-6), label = info)
      if (wanted == "max_response") {
        expect_equal(sum(rows$spend_optimal), sum(robyn$optmSpendUnit), tolerance = 1e-6)
      }
      expect_true(all(rows$is_feasible))
    }
  }
})

test_that("the budget is kept, bounds hold, response does not fall, dead channels get nothing", {
  split <- allocate(media, list(scenario = "max_response"), 52, "revenue")
  expect_equal(split$spend_optimal[3], 0)
  live <- split[1:2]
  expect_equal(sum(split$spend_optimal), 180, tolerance = 1e-6)
  expect_true(all(live$spend_optimal >= live$lower - 1e-9))
  expect_true(all(live$spend_optimal <= live$upper + 1e-9))
  expect_gt(sum(split$response_optimal), sum(split$response_now))
})

test_that("the split is the best on a fine grid", {
  pair <- media[1:2]
  split <- allocate(pair, list(scenario = "max_response"), 1, "revenue")
  tv <- seq(50, 200, 0.05)
  search <- 150 - tv
  inside <- search >= 25 & search <= 100
  response <- function(m, s) m$coef * hill_saturation(s + m$carryover, m$alpha, m$inflexion)
  best <- max((response(pair$tv, tv) + response(pair$search, search))[inside])
  expect_gte(sum(split$response_optimal), best - 1e-3)
})

test_that("a target ROAS is kept, and a CPA", {
  goal <- list(scenario = "target_efficiency", channel_low = 0.1, channel_high = 10)
  split <- allocate(media, goal, 52, "revenue")
  target <- attr(split, "target")
  expect_equal(target, 0.8 * sum(split$response_now) / 180)
  expect_gte(sum(split$response_optimal) / sum(split$spend_optimal), target * (1 - 1e-5))
  split <- allocate(media, c(goal, target_value = 0.3), 52, "conversion")
  expect_equal(attr(split, "target"), 0.3)
  expect_lte(sum(split$spend_optimal) / sum(split$response_optimal), 0.3 * (1 + 1e-5))
})

test_that("a budget out of reach is said to be", {
  split <- allocate(media, list(scenario = "max_response", total_budget = 52e6), 52, "revenue")
  expect_false(attr(split, "feasible"))
  expect_equal(split$spend_optimal, split$upper)
  none <- lapply(media, function(m) modifyList(m, list(coef = 0)))
  expect_false(attr(allocate(none, list(scenario = "max_response"), 52, "revenue"), "feasible"))
})
