# Model-<id>.json: everything that is needed to make one model again.

#' A model's settings and results, without its data.
#'
#' InputCollect.RDS has the modelling table. The number of rows and the names of columns are here,
#' so that a reader can refuse another table.
#' @noRd
describe_model <- function(inputs, made, id, cfg) {
  collect <- made$collect
  row <- collect$resultHypParam[collect$resultHypParam$solID == id, ]
  agg <- collect$xDecompAgg[collect$xDecompAgg$solID == id, ]
  parameters <- grep("_(alphas|gammas|thetas|shapes|scales|penalty)$", names(row), value = TRUE)
  list(
    engine = "builtin", model_id = id, is_best_model = id == made$best_model,
    inputs = list(
      date_column = inputs$date_var, target = inputs$dep_var, target_kind = inputs$dep_var_type,
      frequency = inputs$intervalType, window_start = format(inputs$window_start),
      window_end = format(inputs$window_end), window_rows = c(
        inputs$rollingWindowStartWhich, inputs$rollingWindowEndWhich
      ),
      channel_names = I(cfg$channel_names), channel_spends = I(inputs$paid_media_spends),
      channel_exposures = I(inputs$paid_media_selected), channel_signs = I(inputs$paid_media_signs),
      organic = I(inputs$organic_vars), organic_signs = I(inputs$organic_signs),
      context = I(inputs$context_vars), context_signs = I(inputs$context_signs),
      factors = I(inputs$factor_vars), prophet_vars = I(inputs$prophet_vars),
      prophet_signs = I(inputs$prophet_signs), prophet_country = inputs$prophet_country,
      adstock = inputs$adstock, cost_per_exposure = inputs$ExposureCollect$df_cpe,
      rows = nrow(inputs$dt_mod), columns = I(names(inputs$dt_mod))
    ),
    training = list(
      trials = cfg$trials, iterations = cfg$iterations, seed = cfg$seed, workers = cfg$workers,
      nevergrad_algo = cfg$nevergrad_algo, ts_validation = cfg$ts_validation,
      add_penalty_factor = cfg$add_penalty_factor, intercept = cfg$intercept,
      intercept_sign = cfg$intercept_sign, rssd_zero_penalty = cfg$rssd_zero_penalty,
      ranges = inputs$hyperparameters
    ),
    hyperparameters = as.list(row[parameters]),
    lambda = row$lambda, lambda_share = row$lambda_hp, train_size = row$train_size,
    errors = as.list(row[c(
      "rsq_train", "rsq_val", "rsq_test", "nrmse_train", "nrmse_val", "nrmse_test", "nrmse",
      "decomp.rssd", "mape"
    )]),
    coefficients = stats::setNames(as.list(agg$coef), agg$rn),
    contributions = stats::setNames(as.list(agg$xDecompAgg), agg$rn)
  )
}
