"""From a message to a launched execution: validate, store the request once, launch, record."""
