# Install Robyn and its pinned packages from a dated CRAN snapshot into a separate library.
#
#   Rscript docker/install-robyn.R --library=DIR [--lock=docker/robyn.lock] [--cran=URL,URL]
#           [--timeout=SECONDS] [--ask]
#
# Exit codes: 0 installed (now or before), 3 no CRAN mirror answers, 1 any other error (no mirror has
# an archive with the locked hash, a package does not build). With --ask nothing is installed; 0 then means that a mirror
# answers.
# Needs r-base-dev (compilers) and the Debian packages of r/debian-packages.txt.
# Writes DIR/robyn.json: {"robyn": version or null, "reason": text or null, "snapshot": date,
# "packages": {name: {"version", "sha256"}}}. A library that already has all locked versions is not
# changed. {snapshot} in a URL stands for the lock's date.

# CRAN first: it keeps the archives as their authors made them. Posit's mirror packs some of them anew.
mirrors <- "https://cloud.r-project.org,https://packagemanager.posit.co/cran/{snapshot}"

#' Return the options of the command line over the defaults; stop at an unknown option.
arguments <- function(argv, defaults) {
  for (argument in argv) {
    match <- regmatches(argument, regexec("^--([a-z]+)(=(.*))?$", argument))[[1]]
    if (length(match) == 0 || !match[2] %in% names(defaults)) {
      stop("the argument `", argument, "` is unknown; allowed: ",
           paste0("--", names(defaults), collapse = ", "), call. = FALSE)
    }
    defaults[[match[2]]] <- if (nzchar(match[3])) match[4] else "yes"
  }
  if (!nzchar(defaults$library)) stop("--library=DIR is missing", call. = FALSE)
  defaults
}

#' Read the lock file: list(snapshot, packages = data.frame(package, version, sha256)).
#'
#' `sha256` is the archive's hash, or `files:` and the hash that files_sha256() gives for its content.
read_lock <- function(path) {
  lines <- grep("^\\s*(#|$)", readLines(path), value = TRUE, invert = TRUE)
  fields <- strsplit(trimws(lines), "\\s+")
  is_snapshot <- vapply(fields, function(f) f[1] == "snapshot", logical(1))
  hashed <- grepl("^(files:)?[0-9a-f]{64}$", vapply(fields, function(f) f[length(f)], ""))
  broken <- !is_snapshot & (lengths(fields) != 3 | !hashed)
  if (sum(is_snapshot) != 1 || any(broken)) {
    stop("`", path, "` must have one line `snapshot DATE` and lines `package version sha256`, ",
         "each with a hash; ",
         "wrong lines: ", paste(sQuote(lines[broken], FALSE), collapse = ", "), call. = FALSE)
  }
  rows <- do.call(rbind, fields[!is_snapshot])
  list(
    snapshot = fields[[which(is_snapshot)]][2],
    packages = data.frame(package = rows[, 1], version = rows[, 2], sha256 = rows[, 3])
  )
}

#' Return the version of a package in exactly this library, "" if it is not installed.
version_in <- function(package, library) {
  file <- file.path(library, package, "DESCRIPTION")
  if (file.exists(file)) unname(read.dcf(file, "Version")[1, 1]) else ""
}

#' Download a URL; return FALSE if it is missing or does not answer within the timeout.
fetch <- function(url, to) {
  ok <- tryCatch(
    suppressWarnings(utils::download.file(url, to, quiet = TRUE, mode = "wb")) == 0,
    error = function(e) FALSE
  )
  ok && file.exists(to) && file.size(to) > 0
}

#' Return the mirrors that answer, in order.
answering <- function(urls) {
  Filter(function(url) fetch(paste0(url, "/src/contrib/PACKAGES.gz"), tempfile()), urls)
}

sha256 <- function(path) {
  line <- system2("sha256sum", shQuote(path), stdout = TRUE)
  sub(" .*", "", line[1])
}

#' Return the hash of an archive's files: of the lines `<sha256>  <path>`, sorted by path.
files_sha256 <- function(archive) {
  folder <- tempfile("files-")
  on.exit(unlink(folder, recursive = TRUE))
  utils::untar(archive, exdir = folder)
  root <- list.files(folder, full.names = TRUE)
  files <- sort(list.files(root, recursive = TRUE, all.files = TRUE), method = "radix")
  sums <- vapply(file.path(root, files), sha256, "")
  listed <- file.path(folder, "sums")
  writeLines(paste0(sums, "  ", files), listed)
  sha256(listed)
}

#' Download an exact version's source archive from the first mirror that has it with this hash.
#'
#' @return list(path, sha256). Errors: name every archive that was refused.
source_archive <- function(package, version, expected, urls) {
  name <- sprintf("%s_%s.tar.gz", package, version)
  to <- file.path(tempdir(), name)
  refused <- character()
  for (url in urls) {
    for (folder in c("", sprintf("Archive/%s/", package))) {
      from <- sprintf("%s/src/contrib/%s%s", url, folder, name)
      if (!fetch(from, to)) next
      actual <- sha256(to)
      of_files <- startsWith(expected, "files:")
      if (expected == if (of_files) paste0("files:", files_sha256(to)) else actual) {
        return(list(path = to, sha256 = actual))
      }
      refused <- c(refused, sprintf("%s has SHA-256 %s", from, actual))
    }
  }
  if (length(refused) == 0) {
    stop(sprintf("no mirror has %s: %s", name, paste(urls, collapse = ", ")), call. = FALSE)
  }
  stop(sprintf("no mirror has %s with the hash of the lock, %s: %s", name, expected,
               paste(refused, collapse = "; ")), call. = FALSE)
}

json_text <- function(x) {
  if (is.null(x)) return("null")
  paste0("\"", gsub("([\"\\\\])", "\\\\\\1", x), "\"")
}

write_state <- function(library, lock, robyn, reason, hashes = character()) {
  entries <- sprintf("    %s: {\"version\": %s, \"sha256\": %s}",
                     json_text(names(hashes)),
                     json_text(lock$packages$version[match(names(hashes), lock$packages$package)]),
                     json_text(hashes))
  packages <- if (length(hashes)) c("  \"packages\": {", paste(entries, collapse = ",\n"), "  }")
  else "  \"packages\": {}"
  writeLines(c(
    "{",
    sprintf("  \"robyn\": %s,", json_text(robyn)),
    sprintf("  \"reason\": %s,", json_text(reason)),
    sprintf("  \"snapshot\": %s,", json_text(lock$snapshot)),
    packages,
    "}"
  ), file.path(library, "robyn.json"))
}

install_one <- function(row, library, urls) {
  archive <- source_archive(row$package, row$version, row$sha256, urls)
  cat(sprintf("%s %s sha256 %s\n", row$package, row$version, archive$sha256))
  utils::install.packages(archive$path, lib = library, repos = NULL, type = "source",
                          quiet = TRUE, INSTALL_opts = "--no-docs")
  if (version_in(row$package, library) != row$version) {
    stop(sprintf("%s %s did not build; see the output above", row$package, row$version),
         call. = FALSE)
  }
  archive$sha256
}

main <- function(argv) {
  here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1]))
  options <- arguments(argv, list(library = "", lock = file.path(here, "robyn.lock"),
                                  cran = mirrors, timeout = "60", ask = ""))
  options(timeout = as.integer(options$timeout), warn = 1)
  lock <- read_lock(options$lock)
  wanted <- lock$packages
  target <- wanted$package[nrow(wanted)]
  version <- wanted$version[nrow(wanted)]
  dir.create(options$library, recursive = TRUE, showWarnings = FALSE)
  library <- normalizePath(options$library)
  found <- vapply(wanted$package, version_in, character(1), library = library)
  if (all(found == wanted$version)) {
    cat(sprintf("%s %s is installed in %s\n", target, version, library))
    return(0L)
  }
  urls <- strsplit(gsub("{snapshot}", lock$snapshot, options$cran, fixed = TRUE), ",")[[1]]
  open <- answering(urls)
  if (length(open) == 0) {
    reason <- paste("no CRAN mirror answers:", paste(urls, collapse = ", "))
    write_state(library, lock, NULL, reason)
    cat(sprintf("%s is not installed: %s\n", target, reason))
    return(3L)
  }
  if (nzchar(options$ask)) {
    cat(sprintf("%s %s can be installed from %s\n", target, version, open[1]))
    return(0L)
  }
  if (!nzchar(Sys.which("make"))) {
    stop("no compiler is installed; run: apt-get install r-base-dev", call. = FALSE)
  }
  .libPaths(c(library, .libPaths()))
  Sys.setenv(R_LIBS = paste(c(library, Sys.getenv("R_LIBS")), collapse = ":"))
  hashes <- vapply(seq_len(nrow(wanted)),
                   function(i) install_one(wanted[i, ], library, open), character(1))
  write_state(library, lock, version, NULL, stats::setNames(hashes, wanted$package))
  cat(sprintf("%s %s is installed in %s\n", target, version, library))
  0L
}

status <- tryCatch(main(commandArgs(trailingOnly = TRUE)), error = function(e) {
  message("install-robyn: ", conditionMessage(e))
  1L
})
quit(status = status)
