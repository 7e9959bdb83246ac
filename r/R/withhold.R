# What artifacts carry of the input: nothing, unless the job says `include_data`.
#
# The target stays where a result stands beside it (decomposition by date, plots of the fit).

# Elements of InputCollect that hold the input's rows, as they came or as they are modelled.
ROWS_OF_INPUTS <- c("dt_input", "dt_mod", "dt_modRollWind")
ROWS_OF_EXPOSURE <- c("dt_transform", "plot_spend_exposure")

#' InputCollect as a run keeps it.
#'
#' @param inputs InputCollect of either engine.
#' @param include_data keep the input's rows?
#' @return `inputs`, without its rows unless include_data.
#' @noRd
input_collect_to_keep <- function(inputs, include_data) {
  if (include_data) return(inputs)
  inputs[ROWS_OF_INPUTS] <- NULL
  inputs$ExposureCollect[ROWS_OF_EXPOSURE] <- NULL
  inputs
}
