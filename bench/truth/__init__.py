"""True against estimated ROAS and contribution shares on the example markets."""
