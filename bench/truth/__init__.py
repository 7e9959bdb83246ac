"""True and estimated ROAS and contribution shares of the example markets."""
