test_that("the decomposition by date is Robyn's", {
  for (case in names(OUTPUT_CASES)) {
    made <- made_golden(case, OUTPUT_CASES[[case]])
    table <- made$ours$collect$xDecompVecCollect
    ours <- table[table$solID == made$ours$best_model, ]
    robyn <- made$robyn$by_date
    expect_identical(format(ours$ds), format(as.Date(robyn$ds)))
    for (column in setdiff(names(robyn), "ds")) {
      expect_near(ours[[column]], robyn[[column]], paste(case, column))
    }
  }
})

test_that("contributions sum to the prediction, over time and over variables", {
  made <- made_market()
  tables <- made$outputs$tables
  best <- made$outputs$best_model
  by_date <- tables$decomposition_by_date[model_id == best]
  sums <- by_date[, list(sum = sum(contribution), predicted = predicted[1]), by = "date"]
  expect_equal(sums$sum, sums$predicted)
  total <- by_date[, list(sum = sum(contribution)), by = "variable"]
  agg <- tables$decomposition[model_id == best]
  expect_equal(total$sum[match(agg$variable, total$variable)], agg$contribution)
  expect_equal(sum(agg$contribution_share), 1)
  paid <- agg[kind == "paid_media"]
  expect_equal(sum(paid$effect_share), 1)
  expect_equal(paid$roas, paid$contribution / paid$spend)
  expect_equal(paid$cpa * paid$roas, rep(1, nrow(paid)))
})
