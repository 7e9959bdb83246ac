"""The pages of the console, one script each, in the order of the work."""
