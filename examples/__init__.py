"""Example data with known true effects, and configs that train on it."""
