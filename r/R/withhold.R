# Keep the input's rows out of the artifacts, unless the job has `include_data`.
#
# The target stays next to a result (decomposition by date, plots of the fit).

# Elements of InputCollect with rows of the input, before or after transformation.
ROWS_OF_INPUTS <- c("dt_input", "dt_mod", "dt_modRollWind")
ROWS_OF_EXPOSURE <- c("dt_transform", "plot_spend_exposure")

#' InputCollect for the artifacts.
#'
#' @param inputs InputCollect of either engine.
#' @param include_data keep the input's rows?
#' @return `inputs`; without its rows unless include_data.
#' @noRd
input_collect_to_keep <- function(inputs, include_data) {
  if (include_data) return(inputs)
  inputs[ROWS_OF_INPUTS] <- NULL
  inputs$ExposureCollect[ROWS_OF_EXPOSURE] <- NULL
  inputs
}
