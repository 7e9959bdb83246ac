# Pictures of models, each drawn in a process of its own. A picture that fails, or that needs too
# much memory, is a warning; the run continues.

#' Draw pictures in parallel, as far as cores and memory allow.
#'
#' @param ids models.
#' @param cfg the job's configuration. The files are output_dir/onepagers/<model id>.png.
#' @param draw function(id, path).
#' @param what name of the picture in a warning.
#' @return paths of the pictures made.
#' @noRd
draw_pictures <- function(ids, cfg, draw, what) {
  if (!length(ids)) return(character())
  folder <- file.path(cfg$output_dir, "onepagers")
  dir.create(folder, showWarnings = FALSE)
  paths <- file.path(folder, paste0(ids, ".png"))
  drawn <- map_children(seq_along(ids), function(i) {
    limit_memory(PICTURE_LIMIT_MB)
    draw(ids[i], paths[i])
  }, cores = picture_cores(min(cfg$cores, length(ids))))
  unlink(Sys.glob(file.path(folder, "*.tmp"))) # of processes that were killed
  for (i in seq_along(ids)) {
    if (inherits(drawn[[i]], "error") || !file.exists(paths[i])) {
      why <- if (inherits(drawn[[i]], "error")) conditionMessage(drawn[[i]]) else "no file"
      warning(sprintf("%s of model %s was not drawn: %s", what, ids[i], why), call. = FALSE)
    }
  }
  paths[file.exists(paths)]
}
