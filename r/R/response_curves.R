# Response curves: response against input.

#' Response curves of every medium of the transformed models.
#'
#' @param transformed transform_models() result.
#' @param points points per curve, from zero to `reach` times the largest observed input.
#' @return data.table solID, rn, point, input (per period, after carry-over), response,
#'   marginal_response (per unit of input), observed (FALSE beyond the largest observed input).
#' @noRd
response_curves <- function(transformed, points = 101L, reach = 1.25) {
  stopifnot(points >= 2, reach >= 1)
  data.table::rbindlist(lapply(names(transformed), function(id) {
    data.table::rbindlist(lapply(names(transformed[[id]]), function(m) {
      t <- transformed[[id]][[m]]
      input <- seq(0, reach * max(t$total), length.out = points)
      slope <- hill_slope(input, t$alpha, t$inflexion)
      # At zero the slope of a curve with alpha below one is infinite.
      slope[!is.finite(slope)] <- NA_real_
      list(
        solID = id, rn = m, point = seq_len(points), input = input,
        response = t$coef * hill_saturation(input, t$alpha, t$inflexion),
        marginal_response = t$coef * slope, observed = input <= max(t$total)
      )
    }))
  }))
}
