#' @details The entry is [run_job()]. Packages load at their first use, so that a short question to
#'   R stays short.
#' @keywords internal
"_PACKAGE"

# `[` on a data.table evaluates its arguments in the table, without data.table being imported.
.datatable.aware <- TRUE # nolint: object_name_linter.

# The columns that it finds there, its operators, and the pronoun of ggplot2's aes().
utils::globalVariables(c(
  ".data", ".SD", ":=", "actual", "candidate", "carryover_pct", "channel", "cluster", "coef0",
  "contribution", "cpa_mean", "cpa_total", "decomp.rssd", "dep_var", "depVarHat", "ds",
  "effect_share", "holiday", "input", "iterations", "iterNG", "iterPar", "kind", "lambda",
  "lambda_hp", "lower", "mape", "mape.qt10", "marginal_now", "marginal_optimal",
  "marginal_response", "mean_exposure", "mean_response", "mean_spend", "mean_spend_adstocked",
  "model_id", "n", "nrmse_test", "nrmse_train", "nrmse_val", "observed", "point", "pos",
  "predicted", "response", "response_now", "response_optimal", "rn", "robynPareto", "roi_mean",
  "roi_total", "rsq_test", "rsq_train", "rsq_val", "solID", "spend_now", "spend_optimal",
  "spend_share", "top_sol", "total_spend", "train_size", "trial", "upper", "value", "variable",
  "xDecompAgg", "xDecompPerc"
))
