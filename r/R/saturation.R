# Saturation: the Hill curve, diminishing returns of adstocked media.

#' Hill curve x^alpha / (x^alpha + inflexion^alpha), from 0 to 1.
#'
#' @param x adstocked media, numeric, not negative.
#' @param alpha shape: above 1 an S, else concave.
#' @param inflexion x at which half of the effect is reached; Robyn's gamma times the greatest x.
#' @return numeric, as long as x.
#' @noRd
hill_saturation <- function(x, alpha, inflexion) {
  raised <- x^alpha
  raised / (raised + inflexion^alpha)
}
