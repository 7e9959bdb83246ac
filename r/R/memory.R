# How much memory pictures may take: a run aims to stay in RUN_MB.

RUN_MB <- 1000
# What the fork that draws Robyn's one-pager comes to need for itself; ours needs less.
PICTURE_MB <- 300
# What it may come to need at most; then it fails instead of the run.
PICTURE_LIMIT_MB <- 1000

#' How many children may draw pictures at a time.
#'
#' Pages that a fork shares become its own as R's collector touches them, so that each child comes
#' to need PICTURE_MB. What is left of the memory that a run aims to stay in, or of less where the
#' machine has less, is shared out; one picture is always tried.
#'
#' @param cores greatest number.
#' @param used_mb memory of this process, in megabytes.
#' @param free_mb memory that the machine, or the container, has left.
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

#' Memory that is left, in megabytes: the machine's, or the container's (cgroup version 2, then 1).
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

#' Give this process, a child, at most `mb` megabytes more of address space than it has, and let it
#' be the first that the kernel ends where memory is short.
#'
#' Beyond its limit an allocation fails, which is an error like any other. Without util-linux's
#' prlimit there is no limit.
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
