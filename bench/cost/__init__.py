"""What a run takes: measured runs, and the coefficients of `job/cost` fitted to them."""
