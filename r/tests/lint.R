# Lint the R side: Rscript r/tests/lint.R; ends with 1 where something is found.
own <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1])
root <- normalizePath(file.path(dirname(own), "..", ".."))
files <- list.files(file.path(root, "r"), "[.]R$", recursive = TRUE, full.names = TRUE)
found <- do.call(c, lapply(files, lintr::lint, parse_settings = TRUE))
if (length(found)) print(structure(found, class = "lints"))
cat(length(files), "files,", length(found), "findings\n")
quit("no", as.integer(length(found) > 0))
