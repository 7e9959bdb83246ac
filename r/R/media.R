# A model's media after its transformations: carry-over, saturation, response.

#' Transform one medium with the parameters of a model.
#'
#' @param x numeric, every period of the data.
#' @param parameters named list: theta, or shape and
#'   scale; alpha; gamma.
#' @param adstock kind.
#' @param window rows of the modelling window.
#' @return list of numeric vectors over the window: total and carryover (input after adstock and
#'   its part from earlier periods), saturated and saturated_carryover (0..1); and inflexion.
#' @noRd
transform_medium <- function(x, parameters, adstock, window) {
  p <- parameters
  total <- adstock_media(x, adstock, p$theta, p$shape, p$scale)[window]
  # Rounding may make it negative, and the power of a negative number is NaN.
  carryover <- pmax(total - immediate_input(x, p, adstock)[window], 0)
  inflexion <- max(total) * p$gamma
  list(
    total = total, carryover = carryover, inflexion = inflexion,
    saturated = hill_saturation(total, p$alpha, inflexion),
    saturated_carryover = hill_saturation(carryover, p$alpha, inflexion)
  )
}

#' The part of the input that takes effect in its own period.
#' @noRd
immediate_input <- function(x, parameters, adstock) {
  if (adstock != "weibull_pdf" || parameters$shape == 0 || parameters$scale == 0) return(x)
  x * weibull_weights(length(x), parameters$shape, parameters$scale, "pdf")[1]
}

#' Slope of hill_saturation() at x.
#' @noRd
hill_slope <- function(x, alpha, inflexion) {
  alpha * inflexion^alpha * x^(alpha - 1) / (x^alpha + inflexion^alpha)^2
}

#' The hyperparameters of one medium in one model.
#'
#' @param row one row of resultHypParam, as a list.
#' @noRd
medium_parameters <- function(row, medium) {
  value <- function(kind) row[[paste0(medium, "_", kind)]]
  list(
    theta = value("thetas"), shape = value("shapes"), scale = value("scales"),
    alpha = value("alphas"), gamma = value("gammas")
  )
}

#' Transform every medium of every model in `ids`.
#'
#' @param ranked rank_models() result (hyp, agg).
#' @return list by model id of lists by medium: transform_medium()'s with coef and alpha added.
#' @noRd
transform_models <- function(inputs, ranked, ids) {
  window <- inputs$rollingWindowStartWhich:inputs$rollingWindowEndWhich
  media <- inputs$all_media
  series <- lapply(stats::setNames(media, media), function(m) as.numeric(inputs$dt_mod[[m]]))
  coefficients <- ranked$agg[rn %in% media, list(solID, rn, coef)]
  coefficients <- split(coefficients, by = "solID", keep.by = FALSE)
  rows <- ranked$hyp[match(ids, solID)]
  models <- lapply(seq_along(ids), function(i) {
    row <- as.list(rows[i])
    coefs <- coefficients[[ids[i]]]
    lapply(stats::setNames(media, media), function(m) {
      parameters <- medium_parameters(row, m)
      made <- transform_medium(series[[m]], parameters, inputs$adstock, window)
      c(made, list(coef = coefs$coef[match(m, coefs$rn)], alpha = parameters$alpha))
    })
  })
  stats::setNames(models, ids)
}

#' Means per model and medium over the window.
#'
#' @param transformed transform_models() result.
#' @return data.table solID, rn, mean_response, mean_spend_adstocked, mean_carryover,
#'   carryover_pct (share of the response that comes from earlier periods' input).
#' @noRd
media_means <- function(transformed) {
  data.table::rbindlist(lapply(names(transformed), function(id) {
    data.table::rbindlist(lapply(names(transformed[[id]]), function(m) {
      t <- transformed[[id]][[m]]
      carried <- sum(t$saturated_carryover) * t$coef
      responded <- sum(t$saturated) * t$coef
      list(
        solID = id, rn = m, mean_response = mean(t$saturated * t$coef),
        mean_spend_adstocked = mean(t$total), mean_carryover = mean(t$carryover),
        carryover_pct = if (isTRUE(responded != 0)) carried / responded else NA_real_
      )
    }))
  }))
}
