# Saturation: the Hill curve, diminishing returns of adstocked media.

#' Hill curve x^alpha / (x^alpha + inflexion^alpha), from 0 to 1.
#'
#' @param x adstocked media, numeric, not negative.
#' @param alpha shape: an S above 1, else concave.
#' @param inflexion x with half of the effect: Robyn's gamma times the largest x.
#' @return numeric, as long as x.
#' @noRd
hill_saturation <- function(x, alpha, inflexion) {
  raised <- x^alpha
  raised / (raised + inflexion^alpha)
}
