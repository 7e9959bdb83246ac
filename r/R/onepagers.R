# One-pagers: one picture per model.

ONEPAGER_INCHES <- c(width = 13, height = 10)
ONEPAGER_DPI <- 100
ONEPAGER_COLOURS <- c(
  actual = "#2f3b52", predicted = "#e4572e", bar = "#4c7ea8", other = "#b8c4d0",
  negative = "#c44e52"
)

#' Draw the best models, at most cfg$onepagers, as onepagers/<model id>.png.
#'
#' @param outputs model_outputs() result.
#' @return paths of the pictures made.
#' @noRd
write_onepagers <- function(inputs, outputs, cfg, progress) {
  ids <- onepager_models(outputs, cfg$onepagers)
  # Loaded before the fork, so that the children share it.
  if (length(ids)) loadNamespace("ggplot2")
  draw_pictures(ids, cfg, function(id, path) draw_onepager(id, outputs, cfg, path), "The one-pager")
}

#' The models to draw: the best model, then the other cluster winners by error score.
#'
#' If Robyn could not cluster the candidates, the winners are those of the tables.
#' @noRd
onepager_models <- function(outputs, count) {
  winners <- outputs$collect$clusters$models
  ids <- if (is.null(winners)) unlist(outputs$metrics$models$cluster_winners)
  else winners$solID[order(winners$error_score, winners$nrmse)]
  utils::head(unique(c(outputs$best_model, ids)), count)
}

#' Draw one model to a PNG file.
#' @noRd
draw_onepager <- function(id, outputs, cfg, path) {
  tables <- lapply(outputs$tables, function(table) {
    if ("model_id" %in% names(table)) table[model_id == id] else table
  })
  measure <- if (cfg$target_kind == "revenue") "roas" else "cpa"
  panels <- list(
    list(row = 2, col = 1:2, plot = panel_fit(tables$decomposition_by_date, cfg)),
    list(row = 3, col = 1, plot = panel_contributions(tables$decomposition)),
    list(row = 3, col = 2, plot = panel_shares(tables$decomposition, measure)),
    list(row = 4, col = 1, plot = panel_curves(tables$response_curves, tables$decomposition)),
    list(row = 4, col = 2, plot = panel_performance(tables$decomposition, measure))
  )
  write_atomically(path, function(temporary) {
    grDevices::png(
      temporary, width = ONEPAGER_INCHES[["width"]], height = ONEPAGER_INCHES[["height"]],
      units = "in", res = ONEPAGER_DPI, type = "cairo"
    )
    on.exit(grDevices::dev.off())
    draw_page(onepager_title(id, tables$models, cfg), panels)
  })
}

#' Draw title and panels on a grid of one narrow and three equal rows.
#' @noRd
draw_page <- function(title, panels) {
  grid::grid.newpage()
  heights <- grid::unit(c(0.5, 1, 1, 1), c("inches", "null", "null", "null"))
  grid::pushViewport(grid::viewport(layout = grid::grid.layout(4, 2, heights = heights)))
  grid::grid.text(
    title, x = 0.01, just = "left", gp = grid::gpar(fontsize = 13, fontface = "bold"),
    vp = grid::viewport(layout.pos.row = 1, layout.pos.col = 1:2)
  )
  for (panel in panels) {
    place <- grid::viewport(layout.pos.row = panel$row, layout.pos.col = panel$col)
    print(panel$plot, vp = place)
  }
  grid::popViewport()
}

onepager_title <- function(id, model, cfg) {
  r2 <- c(train = model$rsq_train, val = model$rsq_val, test = model$rsq_test)
  r2 <- r2[is.finite(r2)]
  sprintf(
    "%s   model %s%s   R\u00b2 %s   NRMSE %.3f   DECOMP.RSSD %.3f%s", cfg$market, id,
    if (model$is_best_model) " (best)" else "",
    paste(sprintf("%s %.3f", names(r2), r2), collapse = ", "), model$nrmse, model$decomp_rssd,
    if (model$mape > 0) sprintf("   MAPE of lift %.3f", model$mape) else ""
  )
}

page_theme <- function() {
  ggplot2::theme_minimal(base_size = 10) + ggplot2::theme(
    panel.grid.minor = ggplot2::element_blank(), legend.position = "top",
    plot.title = ggplot2::element_text(size = 11, face = "bold"),
    legend.margin = ggplot2::margin(0, 0, -6, 0), plot.margin = ggplot2::margin(6, 12, 6, 8)
  )
}

short_numbers <- function(x) {
  size <- cut(abs(x), c(-Inf, 1e3, 1e6, 1e9, Inf), labels = FALSE, right = FALSE)
  text <- paste0(signif(x / c(1, 1e3, 1e6, 1e9)[size], 3), c("", "k", "M", "bn")[size])
  ifelse(is.na(x), "", text)
}

percent <- function(x) ifelse(is.na(x), "", sprintf("%.1f %%", 100 * x))

panel_fit <- function(by_date, cfg) {
  fit <- unique(by_date[, list(date, actual, predicted)])
  long <- data.table::melt(fit, id.vars = "date", variable.name = "series")
  ggplot2::ggplot(long, ggplot2::aes(.data$date, .data$value, colour = .data$series)) +
    ggplot2::geom_line(linewidth = 0.6) +
    ggplot2::scale_colour_manual(NULL, values = ONEPAGER_COLOURS[c("actual", "predicted")]) +
    ggplot2::scale_y_continuous(labels = short_numbers) +
    ggplot2::labs(title = paste("Fit over time:", cfg$target), x = NULL, y = NULL) + page_theme()
}

panel_contributions <- function(decomposition) {
  rows <- decomposition[order(contribution)]
  label <- ifelse(is.na(rows$channel), rows$variable, rows$channel)
  rows <- rows[, label := factor(label, levels = unique(label))][]
  fill <- ifelse(rows$contribution < 0, "negative",
    ifelse(rows$kind %in% c("paid_media", "organic"), "bar", "other"))
  ggplot2::ggplot(rows, ggplot2::aes(.data$contribution, .data$label)) +
    ggplot2::geom_col(fill = ONEPAGER_COLOURS[fill], width = 0.7) +
    ggplot2::geom_text(
      ggplot2::aes(label = percent(.data$contribution_share)), hjust = -0.1, size = 3
    ) +
    ggplot2::scale_x_continuous(
      labels = short_numbers, expand = ggplot2::expansion(mult = c(0.02, 0.18))
    ) +
    ggplot2::labs(title = "Contribution over the window", x = NULL, y = NULL) + page_theme()
}

panel_shares <- function(decomposition, measure) {
  rows <- decomposition[kind == "paid_media"]
  long <- data.table::melt(
    rows, id.vars = "channel", measure.vars = c("spend_share", "effect_share"),
    variable.name = "share"
  )
  ggplot2::ggplot(long, ggplot2::aes(.data$value, .data$channel, fill = .data$share)) +
    ggplot2::geom_col(position = "dodge", width = 0.7) +
    ggplot2::scale_fill_manual(NULL,
      values = unname(ONEPAGER_COLOURS[c("other", "bar")]),
      labels = c(spend_share = "share of spend", effect_share = "share of effect")
    ) +
    ggplot2::scale_x_continuous(labels = percent) +
    ggplot2::labs(title = "Spend against effect", x = NULL, y = NULL) + page_theme()
}

panel_curves <- function(curves, decomposition) {
  curves <- curves[kind == "paid_media"]
  means <- decomposition[kind == "paid_media"]
  ggplot2::ggplot(curves, ggplot2::aes(.data$input, .data$response, colour = .data$channel)) +
    ggplot2::geom_line(ggplot2::aes(linetype = .data$is_observed), linewidth = 0.7) +
    ggplot2::geom_point(
      data = means, ggplot2::aes(.data$mean_input, .data$mean_response), size = 2
    ) +
    ggplot2::scale_linetype_manual(
      values = c(`TRUE` = "solid", `FALSE` = "dotted"), guide = "none"
    ) +
    ggplot2::scale_x_continuous(labels = short_numbers) +
    ggplot2::scale_y_continuous(labels = short_numbers) +
    ggplot2::scale_colour_viridis_d(NULL, end = 0.9) +
    ggplot2::labs(
      title = "Response per period (points: means)",
      x = "spend after carry-over", y = NULL
    ) + page_theme()
}

panel_performance <- function(decomposition, measure) {
  rows <- decomposition[kind == "paid_media"]
  rows$value <- rows[[measure]]
  method <- unique(rows$interval_method[!is.na(rows$interval_low)])
  title <- paste0(toupper(measure), c(
    cluster = " with the interval of its cluster", bootstrap = " with its bootstrap interval"
  )[method])
  ggplot2::ggplot(rows, ggplot2::aes(.data$value, .data$channel)) +
    ggplot2::geom_linerange(
      ggplot2::aes(xmin = .data$interval_low, xmax = .data$interval_high),
      colour = ONEPAGER_COLOURS[["other"]], linewidth = 2, na.rm = TRUE
    ) +
    ggplot2::geom_point(colour = ONEPAGER_COLOURS[["bar"]], size = 3, na.rm = TRUE) +
    ggplot2::geom_text(
      ggplot2::aes(label = signif(.data$value, 3)), vjust = -1, size = 3, na.rm = TRUE
    ) +
    ggplot2::labs(title = title, x = NULL, y = NULL) + page_theme()
}
