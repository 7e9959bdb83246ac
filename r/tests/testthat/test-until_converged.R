golden <- read_golden("geometric")
# Trial 3 converges after 666 models, the others reach the limit.
inputs <- golden$inputs
class(inputs) <- c("mmm_inputs", "list")
job <- function(...) {
  utils::modifyList(list(
    work_dir = tempfile("work-"), trials = 3L, iterations = 300L, max_iterations = 700L,
    seed = 123L, cores = 2L
  ), list(...))
}
lengths_of <- function(models) vapply(trial_endings(models), `[[`, 0L, "iterations")
untimed <- function(trial) {
  lapply(trial$resultCollect[c("resultHypParam", "xDecompAgg")], function(table) {
    table <- as.data.frame(table)
    table[setdiff(names(table), c("Elapsed", "ElapsedAccum"))]
  })
}
made <- local({
  kept <- NULL
  function() {
    if (is.null(kept)) kept <<- run_trials(inputs, job(), memory_log())
    kept
  }
})

test_that("each trial stops where the rule first holds for its own models, or at the limit", {
  models <- made()
  endings <- trial_endings(models)
  stopped <- vapply(endings, `[[`, "", "stopped")
  expect_setequal(stopped, c("converged", "limit"))
  # A plain rendering of the schedule: after 300, then whenever a twentieth has been added.
  looks <- 300
  while (utils::tail(looks, 1) < 700) looks <- c(looks, ceiling(utils::tail(looks, 1) * 1.05))
  whole <- run_trials(inputs, job(iterations = 700L, max_iterations = NULL), memory_log())
  for (k in 1:3) {
    table <- as.data.frame(whole[[paste0("trial", k)]]$resultCollect$resultHypParam)
    holds <- vapply(looks[looks <= 700], function(n) {
      part <- list(list(resultCollect = list(resultHypParam = table[seq_len(n), ])))
      all(converge(part)$converged)
    }, NA)
    expect_equal(endings[[k]]$iterations, if (any(holds)) looks[which(holds)[1]] else 700)
    expect_identical(stopped[k], if (any(holds)) "converged" else "limit")
  }
})

test_that("a trial that stopped has the very models of a search of that many iterations", {
  models <- made()
  for (k in which(lengths_of(models) < 700)) {
    fixed <- search_trial(inputs, list(iterations = lengths_of(models)[k], seed = 123L), k)
    expect_identical(untimed(models[[paste0("trial", k)]]), untimed(fixed))
  }
  expect_identical(models$iterations, as.numeric(max(lengths_of(models))))
  expect_identical(models$max_iterations, 700)
})

test_that("trials of other processes and a resumed search are the same", {
  cfg <- job(trials_todo = 2L, merge = FALSE)
  run_trials(inputs, cfg, memory_log())
  cfg[c("trials_todo", "merge")] <- list(NULL, TRUE)
  log <- memory_log()
  path <- tempfile()
  resumed <- run_trials(inputs, cfg, progress_log(path))
  trials <- paste0("trial", 1:3)
  expect_identical(lapply(resumed[trials], untimed), lapply(made()[trials], untimed))
  # The last word of each trial, resumed or not, is how many iterations it had.
  told <- jsonlite::stream_in(file(path), verbose = FALSE)
  told <- told[told$type == "progress", ]
  last <- told[!duplicated(told$trial, fromLast = TRUE), ]
  last <- last[order(last$trial), ]
  expect_identical(last$iteration, lengths_of(made()))
  expect_identical(last$iterations, lengths_of(made()))
})

test_that("whole batches, and a checkpoint of a fixed search is not this one's", {
  cfg <- job(trials = 1L, workers = 2L, iterations = 301L, max_iterations = 303L)
  models <- run_trials(inputs, cfg, memory_log())
  expect_true(lengths_of(models) %in% c(302L, 304L))
  settings <- function(...) search_settings(inputs, list(iterations = 300L, ...))
  problem <- search_problem(inputs, settings())
  expect_false(
    search_key(problem, settings()) == search_key(problem, settings(max_iterations = 300L))
  )
})

test_that("without a limit nothing is asked", {
  expect_false(stopping_rule(list(iterations = 1, objectives = 2L))(10, NULL))
})

test_that("an objective that has no value yet has not converged", {
  falling <- 1 / seq_len(400) + seq_len(400) %% 7 / 1e4
  expect_true(has_converged(list(nrmse = falling)))
  expect_false(has_converged(list(nrmse = falling, decomp.rssd = rep(Inf, 400))))
  expect_false(has_converged(list(nrmse = rep(NA_real_, 400))))
  expect_false(has_converged(list(nrmse = falling[1:3])))
})

test_that("outputs of trials of different lengths are those of their models", {
  models <- made()
  cfg <- job_config(
    channel_names = inputs$paid_media_selected, channel_exposures = inputs$paid_media_selected,
    adstock = inputs$adstock, min_candidates = 20L
  )
  found <- model_outputs(inputs, models, cfg)
  expect_identical(found$metrics$models$tried, sum(lengths_of(models)))
  expect_identical(found$tables$pareto[, .N, by = "trial"]$N, lengths_of(models))
  expect_identical(found$tables$pareto[, max(iteration), by = "trial"]$V1, lengths_of(models))
  expect_identical(vapply(found$metrics$trials, `[[`, 0L, "iterations"), lengths_of(models))
  expect_identical(found$collect$iterations, models$iterations)
})

test_that("calibrated trials wait for MAPE as well", {
  settings <- list(iterations = 400L, max_iterations = 800L, objectives = 3L)
  falling <- 1 / seq_len(400) + seq_len(400) %% 7 / 1e4
  scores <- matrix(0, length(SCORES), 400, dimnames = list(SCORES, NULL))
  scores["nrmse", ] <- scores["decomp.rssd", ] <- scores["mape", ] <- falling
  expect_true(stopping_rule(settings)(400L, scores))
  scores["mape", ] <- rev(falling)
  expect_false(stopping_rule(settings)(400L, scores))
  settings$objectives <- 2L
  expect_true(stopping_rule(settings)(400L, scores))
})
