# The data of robyn_onepagers for one model: the seven lists of OutputCollect's plotDataCollect.

#' Make the seven lists.
#'
#' @param inputs InputCollect.
#' @param row the model's row of resultHypParam.
#' @param agg its rows of
#'   xDecompAgg (data.table).
#' @param media transform_models()[[id]].
#' @param by_date
#'   decompose_by_date()[[id]].
#' @return list plot1data to plot7data.
#' @noRd
robyn_plot_data <- function(inputs, row, agg, media, by_date) {
  fitted <- data.frame(ds = by_date$ds, actual = by_date$dep_var, predicted = by_date$depVarHat)
  list(
    plot1data = plot_shares(inputs, agg),
    plot2data = list(plotWaterfallLoop = plot_waterfall(agg)),
    plot3data = plot_adstock(inputs, row),
    plot4data = plot_responses(inputs, agg, media, row$solID),
    plot5data = list(
      xDecompVecPlotMelted = tibble::tibble(
        ds = rep(fitted$ds, 2), variable = rep(c("actual", "predicted"), each = nrow(fitted)),
        value = c(fitted$actual, fitted$predicted)
      ),
      rsq = row$rsq_train
    ),
    plot6data = list(xDecompVecPlot = tibble::as_tibble(fitted)),
    plot7data = plot_carryover(media, row$solID)
  )
}

#' 1. Share of spend against share of effect, and ROAS or CPA.
#' @noRd
plot_shares <- function(inputs, agg) {
  paid <- agg[rn %in% inputs$paid_media_selected]
  performance <- if (inputs$dep_var_type == "conversion") "cpa_total" else "roi_total"
  long <- function(columns) {
    tibble::tibble(
      rn = factor(rep(paid$rn, length(columns)), levels = sort(inputs$paid_media_selected)),
      nrmse = rep(paid$nrmse, length(columns)),
      decomp.rssd = rep(paid$decomp.rssd, length(columns)),
      rsq_train = rep(paid$rsq_train, length(columns)),
      variable = rep(columns, each = nrow(paid)),
      value = unlist(lapply(columns, function(column) paid[[column]]))
    )
  }
  bar <- long(c("spend_share", "effect_share"))
  line <- long(performance)
  list(
    plotMediaShareLoopBar = bar, plotMediaShareLoopLine = line,
    ySecScale = max(line$value[!is.infinite(line$value)]) / max(bar$value) * 1.1
  )
}

#' 2. Waterfall of contributions.
#' @noRd
plot_waterfall <- function(agg) {
  rows <- agg[order(xDecompPerc)]
  end <- 1 - cumsum(rows$xDecompPerc)
  tibble::tibble(
    id = seq_len(nrow(rows)), rn = as.factor(rows$rn), coef = rows$coef,
    xDecompAgg = rows$xDecompAgg, xDecompPerc = rows$xDecompPerc,
    start = c(1, utils::head(end, -1)), end = end,
    sign = as.factor(ifelse(rows$xDecompPerc >= 0, "Positive", "Negative"))
  )
}

#' 3. Decay of each medium.
#' @noRd
plot_adstock <- function(inputs, row) {
  media <- inputs$all_media
  value <- function(kind) unlist(row[paste0(media, "_", kind)])
  if (inputs$adstock == "geometric") {
    return(list(
      dt_geometric = data.frame(channels = media, thetas = value("thetas")),
      weibullCollect = NULL, wb_type = character()
    ))
  }
  type <- substr(inputs$adstock, 9, 11)
  periods <- seq_len(inputs$rollingWindowLength)
  curves <- mapply(function(medium, shape, scale) {
    decay <- Robyn::adstock_weibull(periods, shape = shape, scale = scale, type = type)$thetaVecCum
    last <- max(which(decay > 0.001), na.rm = TRUE)
    data.frame(
      x = periods, decay_accumulated = decay, type = type, channel = medium,
      halflife = which.min(abs(decay - 0.5)),
      cut_time = if (last <= 5) last * 2 else floor(last + last / 3)
    )
  }, media, value("shapes"), value("scales"), SIMPLIFY = FALSE)
  curves <- do.call(rbind, unname(curves))
  curves <- curves[curves$x <= max(curves$cut_time), ]
  rownames(curves) <- NULL
  list(
    dt_geometric = NULL, weibullCollect = curves,
    wb_type = toupper(type)
  )
}

#' 4. Response against input after adstock.
#' @noRd
plot_responses <- function(inputs, agg, media, id) {
  dates <- as.Date(inputs$dt_modRollWind$ds)
  curves <- data.frame(
    ds = rep(dates, length(media)), channel = rep(names(media), each = length(dates)),
    spend = unlist(lapply(media, function(m) m$total), use.names = FALSE),
    response = unlist(lapply(media, function(m) m$saturated * m$coef), use.names = FALSE)
  )
  paid <- agg[!is.na(mean_spend)]
  list(
    dt_scurvePlot = curves,
    dt_scurvePlotMean = tibble::tibble(
      channel = paid$rn, mean_spend = paid$mean_spend,
      mean_spend_adstocked = paid$mean_spend_adstocked, mean_carryover = paid$mean_carryover,
      mean_response = paid$mean_response, solID = id
    )
  )
}

#' 7. Immediate response and response to earlier periods.
#' @noRd
plot_carryover <- function(media, id) {
  media <- media[sort(names(media), method = "radix")]
  total <- vapply(media, function(m) sum(m$saturated * m$coef), 0, USE.NAMES = FALSE)
  carried <- vapply(media, function(m) sum(m$saturated_carryover * m$coef), 0, USE.NAMES = FALSE)
  twice <- function(a, b) as.vector(rbind(a, b))
  tibble::tibble(
    rn = rep(names(media), each = 2), type = rep(c("Immediate", "Carryover"), length(media)),
    response = twice(total - carried, carried),
    percentage = twice(1 - carried / total, carried / total),
    carryover_pct = rep(carried / total, each = 2), solID = id
  )
}
