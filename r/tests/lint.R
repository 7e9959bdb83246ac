# Lint the R side: Rscript r/tests/lint.R; ends with 1 where something is found.
own <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1])
source(file.path(dirname(own), "..", "library.R"), chdir = TRUE)
require_package()
# lintr looks for names in the package and on the search path: the helpers' belong to every test.
library(testthat)
helpers <- list.files(file.path(R_FOLDER, "tests", "testthat"), "^helper-", full.names = TRUE)
for (helper in helpers) source(helper)
files <- list.files(R_FOLDER, "[.]R$", recursive = TRUE, full.names = TRUE)
found <- do.call(c, lapply(files, lintr::lint, parse_settings = TRUE))
if (length(found)) print(structure(found, class = "lints"))
cat(length(files), "files,", length(found), "findings\n")
quit("no", as.integer(length(found) > 0))
