"""`mmm compare`: two runs side by side, and what their difference is made of."""
