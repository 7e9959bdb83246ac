"""The posterior: what each channel returned, as draws from a model of the project's own."""
