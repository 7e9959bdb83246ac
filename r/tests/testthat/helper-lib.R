# The functions under test, in the environment that testthat runs the tests in.
for (file in sort(list.files(file.path("..", "..", "lib"), "[.]R$", full.names = TRUE))) {
  sys.source(file, envir = environment())
}
