"""Example data with a known truth, and configs that train on it."""
