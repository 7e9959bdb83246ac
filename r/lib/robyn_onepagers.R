# Robyn's one-pagers of the best models, each in a process of its own.

# Robyn saves 17 x 19 inches at 400 dpi: 6800 x 7600 pixels, a gigabyte of memory for one picture.
ROBYN_ONEPAGER_DPI <- 110

#' Draw the best models, at most cfg$onepagers, as onepagers/<model id>.png.
#'
#' A picture that fails, or whose process is killed, is a warning.
#'
#' @inheritParams write_onepagers
robyn_engine_plots <- function(inputs, outputs, cfg, progress) {
  ids <- onepager_models(outputs, cfg$onepagers)
  if (!length(ids)) return(character())
  prepare_robyn()
  folder <- file.path(cfg$output_dir, "onepagers")
  dir.create(folder, showWarnings = FALSE)
  paths <- file.path(folder, paste0(ids, ".png"))
  drawn <- map_children(seq_along(ids), function(i) {
    draw_robyn_onepager(inputs, outputs$collect, ids[i], paths[i])
  }, cores = picture_cores(min(cfg$cores, length(ids))))
  for (i in seq_along(ids)) {
    if (inherits(drawn[[i]], "error") || !file.exists(paths[i])) {
      why <- if (inherits(drawn[[i]], "error")) conditionMessage(drawn[[i]]) else "no file"
      warning(sprintf("Robyn's one-pager of model %s was not drawn: %s", ids[i], why),
        call. = FALSE)
    }
  }
  paths[file.exists(paths)]
}

draw_robyn_onepager <- function(inputs, collect, id, path) {
  # In a process of its own, so what is off in this collection stays here.
  collect$cores <- 1
  pages <- ask_robyn("robyn_onepagers", suppressWarnings(Robyn::robyn_onepagers(
    inputs, collect, select_model = id, quiet = TRUE, export = FALSE
  )))
  if (is.null(pages[[id]])) {
    abort("robyn_error", "Robyn's robyn_onepagers made no page of ", id, ".")
  }
  write_atomically(path, function(temporary) {
    ggplot2::ggsave(
      temporary, pages[[id]], device = "png", dpi = ROBYN_ONEPAGER_DPI, width = 17, height = 19,
      limitsize = FALSE
    )
  })
}
