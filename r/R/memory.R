# Memory of pictures. A run aims to stay within RUN_MB.

RUN_MB <- 1000
# Memory of a child that draws Robyn's one-pager; ours needs less.
PICTURE_MB <- 300
# Limit of that memory: beyond it the child fails, not the run.
PICTURE_LIMIT_MB <- 1000

#' Number of children that may draw pictures at a time.
#'
#' R's garbage collector touches the pages that a fork shares, so each child needs PICTURE_MB of its
#' own. The children share what is left of RUN_MB, or of the machine's memory if that is less. One
#' child always runs.
#'
#' @param cores maximum number.
#' @param used_mb memory of this process, in megabytes.
#' @param free_mb free memory of the machine or container.
#' @noRd
picture_cores <- function(cores, used_mb = memory_in_use(), free_mb = memory_left()) {
  room <- min(RUN_MB - used_mb, free_mb)
  max(1, min(cores, floor(room / PICTURE_MB)))
}

#' Resident memory of this process, in megabytes.
#' @noRd
memory_in_use <- function(status = "/proc/self/status") {
  if (!file.exists(status)) return(0)
  line <- grep("^VmRSS:", readLines(status), value = TRUE)
  as.numeric(gsub("[^0-9]", "", line)) / 1024
}

#' Free memory in megabytes: of the machine, or of the container (cgroup version 2, then 1).
#'
#' The job reads the limits (`job/runtime/machine.py`). R reads the cgroup too, because it needs the
#' memory that is free at the moment when it starts to draw.
#' @noRd
memory_left <- function(meminfo = "/proc/meminfo", cgroup = "/sys/fs/cgroup") {
  left <- Inf
  if (file.exists(meminfo)) {
    line <- grep("^MemAvailable:", readLines(meminfo), value = TRUE)
    left <- as.numeric(gsub("[^0-9]", "", line)) / 1024
  }
  files <- list(
    c("memory.max", "memory.current"),
    c("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes")
  )
  for (pair in lapply(files, function(names) file.path(cgroup, names))) {
    if (!all(file.exists(pair))) next
    bytes <- suppressWarnings(as.numeric(vapply(pair, readLines, "", n = 1L))) # "max" is no number
    if (!anyNA(bytes)) left <- min(left, (bytes[1] - bytes[2]) / 2^20)
  }
  left
}

#' Limit this child to `mb` megabytes more than its present address space, and make it the first
#' that the kernel kills when memory runs out.
#'
#' An allocation beyond the limit is an R error. There is no limit without util-linux's prlimit.
#' @noRd
limit_memory <- function(mb) {
  status <- "/proc/self/status"
  if (file.exists(status) && nzchar(Sys.which("prlimit"))) {
    line <- grep("^VmSize:", readLines(status), value = TRUE)
    bytes <- 1024 * as.numeric(gsub("[^0-9]", "", line)) + mb * 2^20
    limit <- format(bytes, scientific = FALSE, digits = 20, nsmall = 0)
    system2("prlimit", c(paste0("--pid=", Sys.getpid()), paste0("--as=", limit)))
  }
  preference <- "/proc/self/oom_score_adj" # absent outside Linux, read-only in some sandboxes
  if (file.access(preference, 2) == 0) cat("1000", file = preference)
  invisible()
}
