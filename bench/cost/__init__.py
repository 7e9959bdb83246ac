"""The time of runs: measured runs, and the coefficients of `job/cost` fitted to them."""
