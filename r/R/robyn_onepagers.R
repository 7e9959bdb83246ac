# Robyn's one-pagers of the best models.

# Robyn saves 17 x 19 inches at 400 dpi: 6800 x 7600 pixels, a gigabyte of memory for one picture.
ROBYN_ONEPAGER_DPI <- 110

#' Draw the best models, at most cfg$onepagers, as onepagers/<model id>.png.
#'
#' @inheritParams write_onepagers
#' @noRd
robyn_engine_plots <- function(inputs, outputs, cfg, progress) {
  ids <- onepager_models(outputs, cfg$onepagers)
  if (length(ids)) prepare_robyn()
  draw_pictures(ids, cfg, function(id, path) {
    draw_robyn_onepager(inputs, outputs$collect, id, path)
  }, "Robyn's one-pager")
}

draw_robyn_onepager <- function(inputs, collect, id, path) {
  # This process is the picture's own, so the change stays here.
  collect$cores <- 1
  pages <- ask_robyn("robyn_onepagers", suppressWarnings(Robyn::robyn_onepagers(
    inputs, collect, select_model = id, quiet = TRUE, export = FALSE
  )))
  if (is.null(pages[[id]])) {
    abort("robyn_error", "Robyn's robyn_onepagers returned no page for ", id, ".")
  }
  write_atomically(path, function(temporary) {
    ggplot2::ggsave(
      temporary, pages[[id]], device = "png", dpi = ROBYN_ONEPAGER_DPI, width = 17, height = 19,
      limitsize = FALSE
    )
  })
}
